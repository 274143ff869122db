"""The shapes of rows that the formatter `auto` knows, and which of them a row has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Columns of a question with its answer, in the order in which they are looked for.
PAIRS = (
    ("prompt", "response"),
    ("question", "answer"),
    ("query", "response"),
    ("question", "response"),
    ("prompt", "answer"),
    ("input", "output"),
    ("prompt", "output"),
)


@dataclass(frozen=True)
class Shape:
    """A shape, and the formatter that fits it; `what` completes the sentence "each of the rows has …"."""

    formatter: str
    options: tuple[tuple[str, str], ...]
    what: str

    def written(self) -> str:
        """The formatter as a recipe would name it."""
        return ", ".join((self.formatter, *(f"{name}={value}" for name, value in self.options)))


@dataclass(frozen=True)
class Unclear:
    """Why a row has no shape though it looks like some."""

    reason: str


def shape_of(row: Mapping[str, Any]) -> Shape | Unclear | None:
    """The shape of a row; None where it has none that is known.

    Conversations go first, then columns with names that say what they hold, and a plain text last: where there is more,
    it is most often the same again, ready for one model's template.
    """
    found = _conversations(row)
    if len(found) > 1:
        columns = " and ".join(f"`{column}`" for column in found)
        return Unclear(f"conversations are in {columns}: which one is to be learnt is not for a program to guess")
    if found:
        return next(iter(found.values()))
    if _is_list(row, "prompt") and _is_list(row, "completion"):
        return Unclear("prompt and completion are lists of messages; join them in one column `messages`")
    return _pair(row) or _text(row)


def _conversations(row: Mapping[str, Any]) -> dict[str, Shape]:
    """The shape that each column with a conversation gives the row; `prompt` and `completion` are only parts of one."""
    parts = ("prompt", "completion") if _is_list(row, "prompt") and _is_list(row, "completion") else ()
    found = {column: _conversation(column, value) for column, value in row.items() if column not in parts}
    return {column: shape for column, shape in found.items() if shape is not None}


def _conversation(column: str, value: Any) -> Shape | None:
    first = value[0] if type(value) is list and value else None
    if type(first) is not dict:
        return None
    if "role" in first and ("content" in first or "tool_calls" in first):
        what = f"a list of messages with role and content in `{column}`"
        return Shape("chat", _unless_default("messages", column, "messages"), what)
    if "from" in first and "value" in first:
        what = f"a list of turns with from and value in `{column}`"
        return Shape("sharegpt", _unless_default("conversations", column, "conversations"), what)
    return None


def _unless_default(option: str, column: str, default: str) -> tuple[tuple[str, str], ...]:
    return () if column == default else ((option, column),)


def _pair(row: Mapping[str, Any]) -> Shape | None:
    if _is_text(row, "instruction") and _is_text(row, "output"):
        return Shape("alpaca", (), "texts in `instruction` and `output`")
    if _is_text(row, "prompt") and _is_text(row, "completion"):
        written = (("prompt", "{prompt}"), ("answer", "{completion}"))
        return Shape("template", written, "texts in `prompt` and `completion`, which belong together as they are")
    for question, answer in (("instruction", "response"), *PAIRS):
        if _is_text(row, question) and _is_text(row, answer):
            options = (*_unless_default("instruction", question, "instruction"), ("output", answer))
            what = f"texts in `{question}` and `{answer}`, a question and its answer"
            return Shape("alpaca", options, what)
    return None


def _text(row: Mapping[str, Any]) -> Shape | None:
    if _is_text(row, "text"):
        return Shape("completion", (), "a text in `text`")
    if len(row) == 1 and type(next(iter(row.values()))) is str:
        column = next(iter(row))
        return Shape("completion", (("field", column),), f"one column, the text `{column}`")
    return None


def _is_text(row: Mapping[str, Any], column: str) -> bool:
    return type(row.get(column)) is str


def _is_list(row: Mapping[str, Any], column: str) -> bool:
    return type(row.get(column)) is list
