"""Lets through the rows that meet every filter, and counts for each filter what it kept back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ftrun.api.dataset import Filter
from ftrun.api.errors import Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun.utils.suggest import nearest
from ftrun_plugins.data.format.predicates import condition

MOST_COLUMNS = 1000  # remembered of rows that lack one


class RowFilter:
    """The filters of one source, in their order."""

    def __init__(self, filters: Sequence[Filter]) -> None:
        self.filters = filters
        self.passed = 0
        self.removed = [0] * len(filters)
        self._lacking = [0] * len(filters)
        self._columns: dict[str, None] = {}  # of rows that lack one that a filter names

    def kept(self, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """The rows that meet every filter, and all bad ones."""
        conditions = [(number, one.column, condition(one)) for number, one in enumerate(self.filters)]
        for row in rows:
            if isinstance(row, BadRow):
                yield row
                continue
            for number, column, meets in conditions:
                value = row.values if column is None else row.values.get(column)
                if value is None or not meets(value):
                    self._remove(number, row)
                    break
            else:
                self.passed += 1
                yield row

    def counts(self) -> dict[str, int]:
        """How many rows each filter removed."""
        return {str(one): count for one, count in zip(self.filters, self.removed, strict=True)}

    def nothing_left(self, whose: str) -> list[Problem]:
        """Why no row is left, filter by filter."""
        what = f"the filters leave none of {sum(self.removed)} rows{whose}"
        return [
            Problem("no-rows", what, hint="mend the filters that are listed here with what each removed"),
            *map(self._told, range(len(self.filters))),
        ]

    def _remove(self, number: int, row: Row) -> None:
        self.removed[number] += 1
        column = self.filters[number].column
        if column is not None and column not in row.values:
            self._lacking[number] += 1
            if len(self._columns) < MOST_COLUMNS:
                self._columns.update(dict.fromkeys(row.values))

    def _told(self, number: int) -> Problem:
        one, removed = self.filters[number], self.removed[number]
        if removed and removed == self._lacking[number]:
            what = f"none of the {removed} rows that it saw has a column `{one.column}`"
            return Problem("no-rows", what, f"filter {one}", did_you_mean=nearest(str(one.column), self._columns))
        return Problem("no-rows", f"removed {removed}", f"filter {one}")
