"""Selection of a formatter from the first rows of a source, for formatters such as `auto` that choose another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.formatters import Choice, Formatter
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow

FIRST_ROWS = 1000  # rows of a source, bad ones included
MOST_SHOWN = 10  # bad rows in an error


def choose_formatter(formatter: Formatter, options: Any, rows: Iterable[Row | BadRow]) -> Choice | None:
    """Return the choice of `formatter` for the rows of a source, or None if this formatter does not choose.

    Raises:
        InvalidInput: If no formatter fits the rows, or if none of the first rows can be read.
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
    """Iterator over the good rows among the first rows, for one pass. Counts the rows and stores the first bad rows."""

    def __init__(self, rows: Iterable[Row | BadRow]) -> None:
        self._rows = rows
        self.good = self.bad = 0
        self._bad_rows: list[BadRow] = []

    def __iter__(self) -> Iterator[Row]:
        for row in islice(self._rows, FIRST_ROWS):
            if isinstance(row, Row):
                self.good += 1
                yield row
                continue
            self.bad += 1
            if len(self._bad_rows) < MOST_SHOWN:
                self._bad_rows.append(row)

    def problems(self) -> list[Problem]:
        what = f"none of the first {self.bad} rows can be read" if self.bad > 1 else "the only row cannot be read"
        return [
            Problem("bad-rows", what),
            *(Problem(row.code, row.reason, f"{row.file}:{row.line}", hint=row.hint) for row in self._bad_rows),
        ]
