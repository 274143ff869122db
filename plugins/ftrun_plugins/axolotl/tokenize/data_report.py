"""Counts what became of the rows of one split: tokens, lengths, rows cut or dropped, and how well they pack."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from typing import Any

PERCENTILES = (5, 50, 95, 100)
MOST_KEPT = 100  # problems with their places; the rest is only counted
MOST_PACKED = 50_000  # rows; packing efficiency of more is estimated from as many


class DataReport:
    """Grows row by row; constant memory but for four bytes a row."""

    def __init__(self, sequence_len: int) -> None:
        self._sequence_len = sequence_len
        self._lengths = array("i")
        self.trained = 0
        self.cut = 0
        self.dropped = 0
        self.problem_count = 0
        self.problems: list[tuple[str, str]] = []
        self.longest = ("", 0)

    @property
    def tokens(self) -> int:
        return sum(self._lengths)

    @property
    def seen(self) -> int:
        return len(self._lengths) + self.dropped + self.problem_count

    def add(self, place: str, length: int, trained: int, cut: bool) -> None:
        self._lengths.append(length)
        self.trained += trained
        self.cut += cut
        self._note_length(place, length)

    def drop(self, place: str, length: int) -> None:
        self.dropped += 1
        self._note_length(place, length)

    def problem(self, place: str, reason: str) -> None:
        self.problem_count += 1
        if len(self.problems) < MOST_KEPT:
            self.problems.append((place, reason))

    def _note_length(self, place: str, length: int) -> None:
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
            "packing_efficiency": round(packing_efficiency(spread(lengths, MOST_PACKED), self._sequence_len), 4),
        }


def spread(lengths: list[int], most: int) -> list[int]:
    """At most so many of the sorted lengths, taken evenly: the first ones would be the shortest."""
    return lengths[:: -(-len(lengths) // most)]


def packing_efficiency(lengths: list[int], capacity: int) -> float:
    """Share of tokens that are not padding when rows are packed first-fit, longest first, into bins of `capacity`."""
    free: list[int] = []  # room left in each open bin, ascending
    bins = 0
    for length in sorted(lengths, reverse=True):
        place = bisect_left(free, length)
        if place == len(free):
            bins += 1
            left = capacity - length
        else:
            left = free.pop(place) - length
        insort(free, left)
    return sum(lengths) / (bins * capacity) if bins else 0.0
