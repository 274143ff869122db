"""Reader of one source. Adds the name of the part to places, then filters, shuffles and limits the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.formatters import Choice, Formatter
from ftrun.api.rows import FormatterOptions, Row
from ftrun.api.sources import BadRow
from ftrun_plugins.data.format.column_usage import ColumnUsage
from ftrun_plugins.data.format.external_shuffle import shuffled
from ftrun_plugins.data.format.formatter_selection import choose_formatter
from ftrun_plugins.data.format.formatter_setting import FormatterSetting
from ftrun_plugins.data.format.holdout import Splitter
from ftrun_plugins.data.format.params import Reading
from ftrun_plugins.data.format.rejected_rows import row_excerpt
from ftrun_plugins.data.format.row_filter import RowFilter
from ftrun_plugins.data.format.source_key import source_key, with_source_key, with_source_keys

MOST_SHOWN = 8  # unread columns in a note
VALUE_CONDITIONS = ("equals", "one_of", "none_of", "min", "max")


class SourceReader:
    """Rows of one source, with their formatter and their counts.

    Args:
        reading: The source, and everything that is applied to its rows.
        read: Reads the source from its beginning.
        formatter: Formatter of the recipe for these rows.
        seed: Seed of the shuffle; None keeps the order.
        folder: Folder for the temporary files of the shuffle.
    """

    def __init__(
        self,
        reading: Reading,
        read: Callable[[], Iterator[Row | BadRow]],
        formatter: Formatter,
        seed: int | None,
        folder: Path,
    ) -> None:
        self.reading = reading
        self.formatter = formatter
        self.options: Any = formatter.Options.model_validate(reading.formatter.options)
        self.choice: Choice | None = None  # set if the formatter chose another one
        self.splitter = Splitter(reading.split)
        self.row_filter = RowFilter(reading.filters)
        self.columns = ColumnUsage(frozenset(reading.ignore_columns), _find_used_columns(reading, self.options))
        self.rows = self.train = self.held_out = self.rejected = 0  # counted by ExampleWriter
        self._read, self._seed, self._folder = read, seed, folder
        self._of_part = f" of part `{reading.part}`" if reading.part else ""
        self._source_key = source_key(reading.role, reading.part)
        self._repeats = False  # True after the first full pass

    def choose(self) -> str | None:
        """Let a formatter such as `auto` choose another one by the first rows. Return a note about the choice, or None.

        Raises:
            InvalidInput: If no formatter fits, or if the filters remove all rows.
        """
        row_filter = RowFilter(self.reading.filters)
        try:
            with with_source_keys(self._source_key):
                self.choice = choose_formatter(self.formatter, self.options, self._visible(row_filter))
        except InvalidInput:
            if any(row_filter.removed) and not row_filter.passed:
                raise InvalidInput(row_filter.problems(self._of_part)) from None
            raise
        if self.choice is None:
            return None
        self.formatter, self.options = self.choice.formatter, self.choice.options
        return f"{self.reading.formatter.name} chose {self.choice.name}{self._owner}: {self.choice.why}"

    def describe_unread_columns(self) -> str | None:
        """Return a note about the columns that the formatter did not read, or None if it read all of them."""
        columns = self.columns.unread()
        if not columns:
            return None
        more = f" and {len(columns) - MOST_SHOWN} more" if len(columns) > MOST_SHOWN else ""
        shown = ", ".join(column.describe() for column in columns[:MOST_SHOWN])
        return f"columns that `{self.formatter.name}` does not read{self._owner}: {shown}{more}"

    def column_problems(self) -> Iterator[tuple[str, Problem]]:
        """Yield the columns that carry meaning and that the formatter does not read, each with a problem."""
        setting = FormatterSetting(self.formatter, self.options, self.reading.part, self.choice is not None)
        return self.columns.problems(setting)

    @property
    def _owner(self) -> str:
        """Text that names these rows in a note, if the recipe has others."""
        owner = f" for part `{self.reading.part}`" if self.reading.part else ""
        return owner + (" for the held-out rows" if self.reading.role == "held_out" else "")

    @property
    def weight(self) -> float | None:
        return self.reading.weight

    def one_pass(self) -> Iterator[Row | BadRow]:
        """Yield all rows once, in the same order in each pass. Bad rows are only in the first pass.

        Raises:
            InvalidInput: If the filters remove all rows, or if a part has no rows.
        """
        row_filter = self.row_filter if not self._repeats else RowFilter(self.reading.filters)
        good = bad = 0
        for row in self._limit(self._filter_and_shuffle(row_filter)):
            if isinstance(row, Row):
                good += 1
                yield row
            elif not self._repeats:
                bad += 1
                yield row
        self._repeats = True
        if good == 0 and any(row_filter.removed):
            raise InvalidInput(row_filter.problems(self._of_part))
        if good == bad == 0 and self.reading.part:
            raise InvalidInput(Problem("no-rows", f"the source{self._of_part} has no rows"))

    def at_source(self, hint: str | None) -> str | None:
        """Return a hint of the source with the key of this source in the recipe."""
        return with_source_key(hint, self._source_key)

    @property
    def repeats(self) -> bool:
        """True if an earlier pass has already yielded these rows."""
        return self._repeats

    def report(self, passes: int) -> dict[str, Any]:
        """Return the entry of this source in `report.json`."""
        reading = self.reading
        entry: dict[str, Any] = {"role": reading.role, "name": reading.source.name, "rows": self.rows}
        entry["files"] = [file.model_dump(mode="json") for file in reading.source.files]
        if reading.part:
            entry |= {"part": reading.part, "weight": reading.weight, "passes": passes}
            entry |= {"train": self.train, "held_out": self.held_out, "rejected": self.rejected}
        if self.choice is not None:
            entry["chose"] = {"name": self.choice.name, "why": self.choice.why}
        if unread := self.columns.unread():
            entry["unread_columns"] = [column.report() for column in unread]
        return entry | ({"filters": self.row_filter.counts()} if reading.filters else {})

    def _visible(self, row_filter: RowFilter) -> Iterator[Row | BadRow]:
        """Yield the rows as the formatter sees them."""
        for row in self._limit(self._filter(row_filter)):
            yield self.columns.visible(row) if isinstance(row, Row) else row

    def _filter_and_shuffle(self, row_filter: RowFilter) -> Iterable[Row | BadRow]:
        rows = self._filter(row_filter)
        if self._seed is None:
            return rows
        return shuffled(rows, f"{self._seed} {self.reading.role} {self.reading.part or ''}", self._folder)

    def _filter(self, row_filter: RowFilter) -> Iterable[Row | BadRow]:
        rows: Iterable[Row | BadRow] = self._read_source()
        if self.reading.row_key is not None:
            rows = _unwrap(self.reading.row_key, rows)
        part = self.reading.part
        if part is not None:
            rows = _add_part(part, rows)
        return row_filter.apply(rows) if self.reading.filters else rows

    def _read_source(self) -> Iterator[Row | BadRow]:
        with with_source_keys(self._source_key):
            yield from self._read()

    def _limit(self, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """Return the rows up to the limit. Bad rows do not count."""
        return iter(rows) if self.reading.limit is None else _take(rows, self.reading.limit)


def _take(rows: Iterable[Row | BadRow], remaining: int) -> Iterator[Row | BadRow]:
    """Yield rows until `remaining` of them are good."""
    for row in rows:
        yield row
        remaining -= isinstance(row, Row)
        if not remaining:
            return


def _unwrap(column: str, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
    """Yield the rows that are in a column of the rows."""
    for row in rows:
        inner = row.values.get(column) if isinstance(row, Row) else None
        if isinstance(inner, dict):
            yield Row(inner, row.file, row.line)
        elif isinstance(row, Row):
            what = f"there is no object in the column `{column}`, which dataset.row_key names"
            yield BadRow(row.file, row.line, what, row_excerpt(row), "missing-value")
        else:
            yield row


def _find_used_columns(reading: Reading, options: Any) -> Iterator[str]:
    """Yield the columns that the recipe decides on: for the split, in filters by value, and options set to null.

    A filter by the length or the form of a text does not use its content.
    """
    if isinstance(options, FormatterOptions):
        yield from options.declined_columns()
    if reading.split.by is not None:
        yield reading.split.by
    for item in reading.filters:
        if item.column is not None and item.condition in VALUE_CONDITIONS:
            yield item.column


def _add_part(part: str, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
    """Yield the rows with the name of the part before the name of the file."""
    for row in rows:
        file = f"{part}/{row.file}"
        yield Row(row.values, file, row.line) if isinstance(row, Row) else replace(row, file=file)
