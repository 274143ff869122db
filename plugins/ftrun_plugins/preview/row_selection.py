"""Which rows are looked at: the first, the longest, the shortest, some at random, or one by its place."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

if TYPE_CHECKING:
    from ftrun_plugins.preview.formatted_rows import Examples

Way = Literal["first", "longest", "shortest", "random", "row"]
SPLITS = ("train", "held_out")
MORE = 4  # times as many rows as wanted are tokenized to find the longest of them


@dataclass(frozen=True)
class RowChoice:
    """What was asked for."""

    way: Way = "first"
    count: int = 3
    seed: int = 0
    place: str = ""
    split: str = "train"

    @property
    def needs_all(self) -> bool:
        """Whether all rows have to be read to know."""
        return self.way in ("longest", "shortest", "random")

    def __str__(self) -> str:
        match self.way:
            case "longest" | "shortest":
                return f"the {self.way} by tokens, of the {self.count * MORE} {self.way} by characters"
            case "random":
                return f"rows at random, with the seed {self.seed}"
            case "row":
                return f"the row at {self.place}"
        return "the first rows"


@dataclass(frozen=True)
class RejectedRow:
    """A row that no example is made of."""

    place: str
    reason: str
    raw: str
    code: str


def candidates(examples: Examples, choice: RowChoice) -> list[dict[str, Any]]:
    """The examples to tokenize: those that are wanted, or some more where only their tokens decide."""
    lines = _lines(examples.folder / f"{choice.split}.jsonl")
    match choice.way:
        case "first":
            found = list(islice(lines, choice.count))
        case "longest":
            found = heapq.nlargest(choice.count * MORE, lines, key=characters)
        case "shortest":
            found = heapq.nsmallest(choice.count * MORE, lines, key=characters)
        case "random":
            numbers = random.Random(choice.seed)  # noqa: S311  (a choice of rows is no secret)
            drawn = heapq.nsmallest(choice.count, ((numbers.random(), at, line) for at, line in enumerate(lines)))
            found = [line for _, _, line in sorted(drawn, key=lambda one: one[1])]
        case "row":
            return list(_at(examples, choice.place))
    return [{**orjson.loads(line), "split": choice.split} for line in found]


def characters(line: bytes) -> int:
    return len(line.decode())


def read_rejected(examples: Examples) -> Iterator[RejectedRow]:
    """The rows that were rejected, in order."""
    for line in _lines(examples.folder / "rejected.jsonl"):
        yield RejectedRow(**orjson.loads(line))


def is_at(place: str, wanted: str) -> bool:
    """Whether a row's place is the one meant: sources name their files without folders, people with them."""
    return place == wanted or wanted.endswith(f"/{place}") or place.endswith(f"/{wanted}")


def _at(examples: Examples, wanted: str) -> Iterator[dict[str, Any]]:
    mark = f':{wanted.rpartition(":")[2]}"'.encode()
    for split in SPLITS:
        for line in _lines(examples.folder / f"{split}.jsonl"):
            if mark in line and is_at(str((found := orjson.loads(line))["place"]), wanted):
                yield {**found, "split": split}
                return


def _lines(path: Path) -> Iterable[bytes]:
    if path.exists():
        with path.open("rb") as file:
            yield from file
