"""Record of the columns that the formatter of a source reads, and of those that it does not read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ftrun.api.errors import Problem
from ftrun.api.rows import Chat, Row
from ftrun.utils.text import truncate
from ftrun_plugins.data.format.column_meaning import PROSE, Meaning, has_known_name, meaning_of
from ftrun_plugins.data.format.formatter_setting import FormatterSetting
from ftrun_plugins.data.format.rejected_rows import json_excerpt

MOST_COLUMNS = 1000  # unread columns that are counted by name; bounds the memory
LONGEST_EXAMPLE = 60  # characters
LONGEST_NAME = 60  # characters
NUMBERS = (int, float, bool)
TRACK_FIRST = 1000  # rows with an unread column in which everything that is read is recorded
TRACK_EVERY = 16
EMPTY: tuple[Any, ...] = (None, "", [], {})


class ReadValues(dict[str, Any]):
    """Values of one row that record which of them are read. A test with `in` reads nothing."""

    __slots__ = ("read",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, column: str) -> Any:
        self.read.add(column)
        return super().__getitem__(column)

    def get(self, column: str, default: Any = None) -> Any:
        self.read.add(column)
        return super().get(column, default)

    def __iter__(self) -> Iterator[str]:
        self.read.update(super().keys())
        return super().__iter__()

    def keys(self) -> Any:
        self.read.update(super().keys())
        return super().keys()

    def values(self) -> Any:
        self.read.update(super().keys())
        return super().values()

    def items(self) -> Any:
        self.read.update(super().keys())
        return super().items()


@dataclass
class UnreadColumn:
    """Column that the formatter did not read: rows with a value in it, and the first of these values."""

    name: str
    place: str
    example: str
    has_known_name: bool = False
    rows: int = 0
    meaning: Meaning | None = None

    def describe(self) -> str:
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        return f"`{truncate(self.name, LONGEST_NAME)}` ({rows}, for example {self.example})"

    def problem(self, setting: FormatterSetting) -> Problem:
        assert self.meaning is not None
        option, formatter = self.meaning.option, setting.formatter.name
        override = setting.override(option, self.name) if option and len(self.name) <= LONGEST_NAME else None
        use = f"set {override}" if override else self.meaning.hint
        name = truncate(self.name, LONGEST_NAME)
        what = f"the formatter `{formatter}` does not read {self.describe()}: the column holds {self.meaning.what}"
        hint = f"{use.replace('COLUMN', name)}, or drop it: dataset.ignore_columns=[{name}]"
        return Problem("unread-column", what, self.place, hint=hint)

    def report(self) -> dict[str, Any]:
        return {"column": self.name, "rows": self.rows, "place": self.place, "example": self.example}


@dataclass
class ColumnUsage:
    """Usage of the columns of one source.

    Args:
        ignored: Columns that the recipe drops. The formatter does not see them.
        used: Columns that the recipe uses otherwise, for example for the split.
    """

    ignored: frozenset[str]
    used: Iterable[str] = ()

    def __post_init__(self) -> None:
        self._read = set(self.used)
        self.missing = set(self.ignored)  # ignored columns that no row has so far
        self._unread: dict[str, UnreadColumn] = {}
        self._columns: tuple[str, ...] | None = None  # of the row that was viewed last; None after a change of the sets
        self._new: tuple[str, ...] = ()  # those of them that no example has needed so far
        self._new_are_found = True  # True if each of them is in `_unread`
        self._partial = 0  # rows with a column that no example has needed so far

    def visible(self, row: Row) -> Row:
        """Return the row without the ignored columns."""
        if not self.ignored:
            return row
        values = row.values
        if self.missing:
            self.missing.difference_update(values)
        return Row({name: value for name, value in values.items() if name not in self.ignored}, row.file, row.line)

    def view(self, row: Row) -> Row:
        """Return the visible row, with values that record what is read unless all of them have been read before.

        Recording takes a tenth of the time of a row. So it happens in the first rows that have an unread column, and
        then in one of `TRACK_EVERY` rows.
        """
        row = self.visible(row)
        columns = tuple(row.values)
        if columns != self._columns:  # rows with the columns of the row before need no further look
            self._columns = columns
            self._new = tuple(name for name in columns if name not in self._read)
            self._new_are_found = all(name in self._unread for name in self._new)
        if not self._new:
            return row
        self._partial += 1
        if self._partial > TRACK_FIRST and self._partial % TRACK_EVERY and self._new_are_found:
            return row
        return Row(ReadValues(row.values), row.file, row.line)

    def add(self, row: Row, example: object) -> None:
        """Count the columns of a row that no example has needed so far, and the keys that were left out."""
        values = row.values
        if isinstance(example, Chat) and example.ignored:
            for name, value in example.ignored.items():
                self._find(name, value, row).rows += 1
        if type(values) is ReadValues:
            self._columns = None
            self._read |= values.read
            for name, value in dict.items(values):  # in the order of the row, because it adds columns
                if name not in self._read:
                    column = self._find(name, value, row)
                    if value not in EMPTY:
                        self._add_value(column, value, row, example)
            return
        for name in self._new:
            value, column = values[name], self._unread[name]
            if not column.has_known_name and column.rows and _is_short(value):
                column.rows += 1  # ids and scores, which are frequent
            elif value not in EMPTY:
                self._add_value(column, value, row, example)

    def _find(self, name: str, value: Any, row: Row) -> UnreadColumn:
        column = self._unread.get(name)
        if column is None:
            column = UnreadColumn(name, row.place, _shorten(value), has_known_name(name))
            if len(self._unread) < MOST_COLUMNS:
                self._unread[name] = column
        return column

    def _add_value(self, column: UnreadColumn, value: Any, row: Row, example: object) -> None:
        if not column.rows:
            column.place, column.example = row.place, _shorten(value)
        column.rows += 1
        if column.meaning is not None or (type(value) in NUMBERS and not column.has_known_name):
            return
        if meaning := meaning_of(column.name, value, example):
            column.meaning, column.place, column.example = meaning, row.place, _shorten(value)

    def unread(self) -> list[UnreadColumn]:
        """Return the unread columns. A column that was read in a later row is not one of them."""
        return [column for name, column in self._unread.items() if column.rows and name not in self._read]

    def problems(self, setting: FormatterSetting) -> Iterator[tuple[str, Problem]]:
        """Yield the unread columns that carry meaning, each with a problem."""
        return ((column.name, column.problem(setting)) for column in self.unread() if column.meaning)


def _is_short(value: Any) -> bool:
    """Return True for a number or a short text, which only the name of its column can give a meaning."""
    kind = type(value)
    return 0 < len(value) < PROSE if kind is str else kind in NUMBERS


def _shorten(value: Any) -> str:
    return truncate(json_excerpt(value, "the value"), LONGEST_EXAMPLE)
