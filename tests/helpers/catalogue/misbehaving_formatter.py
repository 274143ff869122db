"""A third party's formatter that does whatever a row asks for, short of what a formatter should do."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from ftrun import hookimpl
from ftrun.api.formatters import Formatter
from ftrun.api.rows import Chat, FormatterOptions, Rejected, Row, Segments, Text

USER = {"role": "user", "content": "a"}
ANSWER = {"role": "assistant", "content": "b"}


class SilentError(Exception):
    def __str__(self) -> str:
        raise ValueError("not even this")


class LoudText(Text):
    """A kind of text of the third party's own."""


def raises(error: BaseException) -> Any:
    raise error


def forever() -> None:
    while True:
        pass


def forever_catching() -> None:
    while True:
        with suppress(Exception):  # as careless code does
            forever()


def recursion() -> Any:
    return recursion()


def generated() -> Iterator[Text]:
    yield Text("a")


def looped() -> list[Any]:
    looped: list[Any] = []
    looped.append(looped)
    return looped


DOES: Mapping[str, Callable[[], Any]] = {
    "raise": lambda: raises(RuntimeError("no idea")),
    "raise in lines": lambda: raises(RuntimeError("one\ntwo\t\n three")),
    "raise 10 MB": lambda: raises(RuntimeError("x" * 10_000_000)),
    "raise what cannot be told": lambda: raises(SilentError()),
    "raise with escapes": lambda: raises(RuntimeError("\x1b[2J\ud800")),
    "key error": lambda: {}["x"],
    "recurse": recursion,
    "run out of memory": lambda: raises(MemoryError()),
    "exit": lambda: sys.exit(0),
    "stop iteration": lambda: next(iter(())),
    "loop": forever,
    "loop and catch": forever_catching,
    "match forever": lambda: re.match(r"(a+)+$", "a" * 60 + "b"),
    "none": lambda: None,
    "true": lambda: True,
    "text": lambda: "a",
    "row": lambda: {"messages": [USER, ANSWER]},
    "generator": generated,
    "class": lambda: Text,
    "empty text": lambda: Text(""),
    "text of bytes": lambda: Text(b"a"),  # type: ignore[arg-type]
    "text of a number": lambda: Text(7),  # type: ignore[arg-type]
    "half a character": lambda: Text("\ud83d"),
    "100 MB": lambda: Text("x" * 100_000_000),
    "reject with nothing": lambda: Rejected(""),
    "reject with null": lambda: Rejected(None),  # type: ignore[arg-type]
    "reject with 10 MB": lambda: Rejected("no " * 3_000_000),
    "messages null": lambda: Chat(None),  # type: ignore[arg-type]
    "messages of texts": lambda: Chat(["a", "b"]),  # type: ignore[list-item]
    "messages in a text": lambda: Chat("user: a"),  # type: ignore[arg-type]
    "role null": lambda: Chat([{"role": None, "content": "a"}, ANSWER]),
    "no assistant": lambda: Chat([USER]),
    "no message": lambda: Chat([]),
    "tools in a text": lambda: Chat([USER, ANSWER], "[]"),  # type: ignore[arg-type]
    "content a set": lambda: Chat([USER, {"role": "assistant", "content": {"a"}}]),
    "content that holds itself": lambda: Chat([USER, {"role": "assistant", "content": looped()}]),
    "segments null": lambda: Segments(None),  # type: ignore[arg-type]
    "segments of texts": lambda: Segments(["a", "b"]),  # type: ignore[list-item]
    "segments of threes": lambda: Segments([("a", True, 1)]),  # type: ignore[list-item]
    "segments of numbers": lambda: Segments([(1, True)]),  # type: ignore[list-item]
    "segments untrained": lambda: Segments([("a", False), ("", True)]),
    "no segment": lambda: Segments([]),
    # what is odd and right
    "own text": lambda: LoudText("a"),
    "tuples": lambda: Chat((USER, ANSWER), ()),
}


class Misbehaving:
    """What it does is in the row."""

    name: ClassVar[str] = "misbehaving"

    class Options(FormatterOptions):
        """None."""

    def format(self, row: Row, options: Options) -> Any:
        return DOES[row.values["does"]]()


@hookimpl
def ftrun_register_formatters(register: Callable[[type[Formatter]], None]) -> None:
    register(Misbehaving)
