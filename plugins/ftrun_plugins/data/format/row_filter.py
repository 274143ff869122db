"""Filtering of rows, with the number of rows that each filter removes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ftrun.api.dataset import Filter
from ftrun.api.errors import Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun.utils.suggest import nearest
from ftrun_plugins.data.format.predicates import build_predicate

MOST_COLUMNS = 1000  # names of columns that are stored for suggestions


class RowFilter:
    """Filters of one source, in their order."""

    def __init__(self, filters: Sequence[Filter]) -> None:
        self.filters = filters
        self.passed = 0
        self.removed = [0] * len(filters)
        self._missing = [0] * len(filters)
        self._columns: dict[str, None] = {}  # of rows that lack the column of a filter; an ordered set

    def apply(self, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """Yield the rows that meet all filters, and all bad rows."""
        predicates = [(number, item.column, build_predicate(item)) for number, item in enumerate(self.filters)]
        for row in rows:
            if isinstance(row, BadRow):
                yield row
                continue
            for number, column, meets in predicates:
                value = row.values if column is None else row.values.get(column)
                if value is None or not meets(value):
                    self._remove(number, row)
                    break
            else:
                self.passed += 1
                yield row

    def counts(self) -> dict[str, int]:
        """Return the number of rows that each filter removed."""
        return {str(item): count for item, count in zip(self.filters, self.removed, strict=True)}

    def problems(self, suffix: str) -> list[Problem]:
        """Return the problems to report if no row is left: the total, then one per filter.

        Args:
            suffix: Text that follows "rows" in the message, such as " of part `a`".
        """
        what = f"the filters remove all {sum(self.removed)} rows{suffix}"
        return [
            Problem("no-rows", what, hint="change the filters; the next lines count the rows that each one removed"),
            *map(self._filter_problem, range(len(self.filters))),
        ]

    def _remove(self, number: int, row: Row) -> None:
        self.removed[number] += 1
        column = self.filters[number].column
        if column is not None and column not in row.values:
            self._missing[number] += 1
            if len(self._columns) < MOST_COLUMNS:
                self._columns.update(dict.fromkeys(row.values))

    def _filter_problem(self, number: int) -> Problem:
        item, removed = self.filters[number], self.removed[number]
        if removed and removed == self._missing[number]:
            what = f"none of the {removed} rows that reached it has a column `{item.column}`"
            return Problem("no-rows", what, f"filter {item}", did_you_mean=nearest(str(item.column), self._columns))
        return Problem("no-rows", f"rows removed: {removed}", f"filter {item}")
