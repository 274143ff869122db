"""Lets a formatter that chooses by the data look at the first rows, before any row is formatted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.formatters import Choice, Formatter
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow

LOOKED_AT = 1000  # rows of a source, bad ones included
MOST_SHOWN = 10  # of rows that cannot be read


def chosen(formatter: Formatter, options: Any, rows: Iterable[Row | BadRow]) -> Choice | None:
    """What the formatter chooses for the rows of a source; None where it is not one that chooses.

    Raises:
        InvalidInput: no formatter fits the rows, or none of the first can be read.
    """
    choose = getattr(formatter, "choose", None)
    if choose is None:
        return None
    first = _FirstRows(rows)
    try:
        choice: Choice = choose(first, options)
    except InvalidInput:
        if first.bad and not first.good:
            raise InvalidInput(first.problems()) from None
        raise
    return choice


class _FirstRows:
    """The good ones of the first rows, to be read once; counts them and keeps the first bad ones."""

    def __init__(self, rows: Iterable[Row | BadRow]) -> None:
        self._rows = rows
        self.good = self.bad = 0
        self._shown: list[BadRow] = []

    def __iter__(self) -> Iterator[Row]:
        for row in islice(self._rows, LOOKED_AT):
            if isinstance(row, Row):
                self.good += 1
                yield row
                continue
            self.bad += 1
            if len(self._shown) < MOST_SHOWN:
                self._shown.append(row)

    def problems(self) -> list[Problem]:
        what = f"none of the first {self.bad} rows can be read" if self.bad > 1 else "the only row cannot be read"
        return [
            Problem("bad-rows", what),
            *(Problem(row.code, row.reason, f"{row.file}:{row.line}") for row in self._shown),
        ]
