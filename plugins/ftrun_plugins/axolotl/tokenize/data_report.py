"""Statistics of the tokenized rows of one split: tokens, lengths, cut and dropped rows, packing efficiency."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Collection
from typing import Any

PERCENTILES = (5, 50, 95, 100)
MAX_PROBLEMS = 100  # problems stored with their places; further ones are only counted
MAX_PACKED_ROWS = 50_000  # the packing efficiency of more rows is estimated from a sample of at most this size


class DataReport:
    """Statistics that are updated row by row. Memory use is constant, plus four bytes per row."""

    def __init__(self, sequence_len: int) -> None:
        self.sequence_len = sequence_len
        self._lengths = array("i")
        self.trained = 0
        self.cut = 0
        self.dropped = 0
        self.problem_count = 0
        self.problems: list[tuple[str, str]] = []
        self.longest = ("", 0)
        self.losses: dict[str, tuple[int, str]] = {}  # rows and first place, by kind of content

    @property
    def tokens(self) -> int:
        return sum(self._lengths)

    @property
    def row_count(self) -> int:
        return len(self._lengths) + self.dropped + self.problem_count

    def add(self, place: str, length: int, trained: int, cut: bool) -> None:
        self._lengths.append(length)
        self.trained += trained
        self.cut += cut
        self._update_longest(place, length)

    def add_losses(self, place: str, kinds: Collection[str]) -> None:
        """Count a row of which the chat template leaves out these kinds of content."""
        for kind in kinds:
            count, first = self.losses.get(kind, (0, place))
            self.losses[kind] = (count + 1, first)

    def drop(self, place: str, length: int) -> None:
        self.dropped += 1
        self._update_longest(place, length)

    def add_problem(self, place: str, reason: str) -> None:
        self.problem_count += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append((place, reason))

    def _update_longest(self, place: str, length: int) -> None:
        if length > self.longest[1]:
            self.longest = (place, length)

    def summary(self) -> dict[str, Any]:
        lengths = sorted(self._lengths)
        if not lengths:
            return {"rows": 0, "tokens": 0, "trained_tokens": 0, "dropped": self.dropped}
        return {
            "rows": len(lengths),
            "tokens": sum(lengths),
            "trained_tokens": self.trained,
            "lengths": {
                f"p{percent}": lengths[min(len(lengths) - 1, len(lengths) * percent // 100)] for percent in PERCENTILES
            },
            "longest": {"place": self.longest[0], "tokens": self.longest[1]},
            "cut": self.cut,
            "dropped": self.dropped,
            "packing_efficiency": round(
                packing_efficiency(sample_lengths(lengths, MAX_PACKED_ROWS), self.sequence_len), 4
            ),
            "template_losses": {
                kind: {"rows": count, "first": place} for kind, (count, place) in sorted(self.losses.items())
            },
        }


def sample_lengths(lengths: list[int], maximum: int) -> list[int]:
    """Return at most `maximum` of the sorted lengths, evenly spaced, because the first lengths are the shortest."""
    return lengths[:: -(-len(lengths) // maximum)]


def packing_efficiency(lengths: list[int], capacity: int) -> float:
    """Return the fraction of tokens that are not padding.

    Rows are packed longest first, each into the fullest bin of `capacity` tokens that has room.
    """
    free: list[int] = []  # remaining tokens of each open bin, ascending
    bins = 0
    for length in sorted(lengths, reverse=True):
        index = bisect_left(free, length)
        if index == len(free):
            bins += 1
            remaining = capacity - length
        else:
            remaining = free.pop(index) - length
        insort(free, remaining)
    return sum(lengths) / (bins * capacity) if bins else 0.0
