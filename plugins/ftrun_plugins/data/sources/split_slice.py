"""Slices of a split in the notation of Hugging Face's `datasets`: `train[:10%]`, `train[100:200]`, `train[-5%:]`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from ftrun.api.rows import Row
from ftrun.api.sources import BadRow

BOUND = r"-?[0-9]+%?"
PATTERN = re.compile(rf"(?P<name>[\w.-]+)(\[(?P<start>{BOUND})?:(?P<stop>{BOUND})?\])?")
SPLIT = rf"^{PATTERN.pattern.replace('?P<name>', '').replace('?P<start>', '').replace('?P<stop>', '')}$"


@dataclass(frozen=True)
class SplitSlice:
    """Name of a split, and the bounds of the rows to take, as they are written. None is no bound."""

    name: str
    start: str | None = None
    stop: str | None = None

    @classmethod
    def parse(cls, text: str) -> SplitSlice:
        """Parse a split that matches `SPLIT`."""
        match = PATTERN.fullmatch(text)
        assert match is not None, "the options check it"
        return cls(match["name"], match["start"], match["stop"])

    def apply(self, read: Callable[[], Iterable[Row | BadRow]]) -> Iterator[Row | BadRow]:
        """Yield the rows of the slice. Reads all rows once before if a bound depends on their number.

        Args:
            read: Reads the rows from their beginning.
        """
        bounds = (self.start, self.stop)
        relative = any(bound is not None and (bound.endswith("%") or bound.startswith("-")) for bound in bounds)
        total = sum(1 for _ in read()) if relative else 0
        start, stop = (_resolve(bound, total) for bound in bounds)
        yield from islice(read(), start or 0, stop)


def _resolve(bound: str | None, total: int) -> int | None:
    """Return a bound as a number of rows. A percentage is rounded to the closest row."""
    if bound is None:
        return None
    number = round(int(bound[:-1]) * total / 100) if bound.endswith("%") else int(bound)
    return max(0, total + number) if bound.startswith("-") else number
