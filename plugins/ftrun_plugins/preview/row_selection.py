"""Choice of rows for a preview: the first, longest, shortest, random ones, or the row at a place."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

from ftrun.api.artifacts import SPLITS, FormattedRows, Split

if TYPE_CHECKING:
    from ftrun_plugins.preview.formatted_rows import Examples

Way = Literal["first", "longest", "shortest", "random", "row"]
CANDIDATES_PER_ROW = 4  # rows that are tokenized to find the longest or shortest by tokens


@dataclass(frozen=True)
class RowChoice:
    """The rows that the user asks for."""

    way: Way = "first"
    count: int = 3
    seed: int = 0
    place: str = ""
    split: Split = "train"

    @property
    def needs_all(self) -> bool:
        """True if all rows have to be read to choose."""
        return self.way in ("longest", "shortest", "random")

    def __str__(self) -> str:
        match self.way:
            case "longest" | "shortest":
                return f"the {self.way} by tokens, of the {self.count * CANDIDATES_PER_ROW} {self.way} by characters"
            case "random":
                return f"random rows with the seed {self.seed}"
            case "row":
                return f"the row at {self.place}"
        return "the first rows"


@dataclass(frozen=True)
class RejectedRow:
    """A row that the formatter rejected."""

    place: str
    reason: str
    raw: str
    code: str


def candidates(examples: Examples, choice: RowChoice) -> list[dict[str, Any]]:
    """Return the examples to tokenize; more than requested if the choice depends on the number of tokens."""
    lines = _read_lines(examples.folder / FormattedRows.file_name(choice.split))
    match choice.way:
        case "first":
            selected = list(islice(lines, choice.count))
        case "longest":
            selected = heapq.nlargest(choice.count * CANDIDATES_PER_ROW, lines, key=characters)
        case "shortest":
            selected = heapq.nsmallest(choice.count * CANDIDATES_PER_ROW, lines, key=characters)
        case "random":
            numbers = random.Random(choice.seed)  # noqa: S311  (not for security)
            drawn = heapq.nsmallest(choice.count, ((numbers.random(), index, line) for index, line in enumerate(lines)))
            selected = [line for _, _, line in sorted(drawn, key=lambda draw: draw[1])]
        case "row":
            return list(_find_at(examples, choice.place))
    return [{**orjson.loads(line), "split": choice.split} for line in selected]


def characters(line: bytes) -> int:
    """Return the number of characters of a line."""
    return len(line.decode())


def read_rejected(examples: Examples) -> Iterator[RejectedRow]:
    """Yield the rejected rows in order."""
    for line in _read_lines(examples.folder / FormattedRows.REJECTED):
        yield RejectedRow(**orjson.loads(line))


def is_at(place: str, wanted: str) -> bool:
    """Return whether a row is at the wanted place. Folders may be missing in one of the two places."""
    return place == wanted or wanted.endswith(f"/{place}") or place.endswith(f"/{wanted}")


def _find_at(examples: Examples, wanted: str) -> Iterator[dict[str, Any]]:
    mark = f':{wanted.rpartition(":")[2]}"'.encode()
    for split in SPLITS:
        for line in _read_lines(examples.folder / FormattedRows.file_name(split)):
            if mark in line and is_at(str((example := orjson.loads(line))["place"]), wanted):
                yield {**example, "split": split}
                return


def _read_lines(path: Path) -> Iterable[bytes]:
    if path.exists():
        with path.open("rb") as file:
            yield from file
