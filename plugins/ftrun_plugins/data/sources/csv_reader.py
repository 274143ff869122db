"""Reads CSV: record by record in constant memory, each a row or the exact reason why it is none."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun.utils.excerpt import shorten
from ftrun_plugins.data.sources.file_signature import UTF8_BOM, read_head
from ftrun_plugins.data.sources.jsonl_reader import MAX_ROW_BYTES
from ftrun_plugins.data.sources.open_data import open_data

EXPECTED = "a first line with the names of the columns, then one row a line"
MOST_COLUMNS = 10_000
DELIMITERS = (",", ";", "\t", "|")  # in use somewhere
NEVER_ENDS = "unexpected end of data"  # what Python's reader says at the end of a file inside of quotes


@dataclass(frozen=True)
class Shape:
    """How fields are told apart, and what they are called; None takes the names from the first line."""

    delimiter: str = ","
    quote: str | None = '"'
    columns: tuple[str, ...] | None = None


def read_csv(path: Path, name: str, shape: Shape) -> Iterator[Row | BadRow]:
    """The rows of a file, placed by the line that each begins in. All values are texts.

    Raises:
        InvalidInput: where the file as a whole is wrong: empty, binary, names of columns twice, a quote without its end.
    """
    read_head(path, name, "CSV", EXPECTED)
    csv.field_size_limit(MAX_ROW_BYTES)
    with open_data(path, name) as file:
        lines = _Lines(file, name)
        records = _records(lines, shape, name)
        columns = shape.columns
        if columns is None:
            columns = _columns(next(records, None), name)
            _check_delimiter(columns, shape.delimiter, name)
        rows = 0
        for number, fields, reason in records:
            rows += 1
            code = "bad-row"
            if reason is None and len(fields) != len(columns):
                code, reason = "wrong-columns", _wrong_number(len(fields), columns)
            if reason is None:
                yield Row(dict(zip(columns, fields, strict=True)), name, number)
            else:
                yield BadRow(name, number, reason, shorten(shape.delimiter.join(fields).encode(errors="replace")), code)
        if not rows:
            raise InvalidInput(Problem("no-rows", "the file has names of columns and no rows", name, EXPECTED))


Record = tuple[int, list[str], str | None]  # its first line, its fields, what is wrong with it


def _records(lines: _Lines, shape: Shape, name: str) -> Iterator[Record]:
    dialect: dict[str, Any] = {"delimiter": shape.delimiter, "quotechar": shape.quote, "strict": True}
    reader = csv.reader(lines, quoting=csv.QUOTE_NONE if shape.quote is None else csv.QUOTE_MINIMAL, **dialect)
    while True:
        lines.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if lines.is_long or str(error) == NEVER_ENDS:
                raise _unending(lines.first, name) from None
            yield lines.first, [lines.shown], f"the quotes are wrong: {error}"
            continue
        if fields or lines.wrong:
            yield lines.first, fields, lines.wrong


class _Lines:
    """The lines of a file as texts, for Python's reader; remembers where a record began and what is wrong with it."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self._number = 0
        self.begin()

    def begin(self) -> None:
        """The next line is a record's first."""
        self.first = self._number + 1
        self.wrong: str | None = None
        self.shown = ""
        self._bytes = 0

    @property
    def is_long(self) -> bool:
        """Whether the record is longer than any may be."""
        return self._bytes > MAX_ROW_BYTES

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_ROW_BYTES + 1)
        if not line:
            raise StopIteration
        self._number += 1
        if self._number == 1:
            line = line.removeprefix(UTF8_BOM)
        self._bytes += len(line)
        if self._bytes > MAX_ROW_BYTES:
            raise csv.Error(f"the row is longer than {MAX_ROW_BYTES // 1_000_000} MB")
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            where = f"byte 0x{line[error.start]:02x} at position {error.start + 1} of line {self._number}"
            self.wrong = f"the row is not UTF-8: {where}"
            text = line.decode(errors="replace")
        if "\0" in text:
            self.wrong = "the row holds NUL bytes: it is binary data, not text"
        self.shown = self.shown or text
        return text


def _unending(line: int, name: str) -> InvalidInput:
    what = f"the row that begins in line {line} is longer than {MAX_ROW_BYTES // 1_000_000} MB, or never ends"
    do = 'look for a quote there without its partner; inside of quotes a quote is written twice: ""'
    return InvalidInput(Problem("wrong-format", what, f"{name}:{line}", hint=do))


def _columns(record: Record | None, name: str) -> tuple[str, ...]:
    if record is None:
        raise InvalidInput(Problem("no-rows", "the file has only blank lines", name, EXPECTED))
    line, fields, reason = record
    twice = sorted({field for field in fields if fields.count(field) > 1})[:3] if len(fields) <= MOST_COLUMNS else []
    if reason is None and "" in fields:
        reason = f"column {fields.index('') + 1} has no name"
    if reason is None and twice:
        reason = f"two columns are named {' and '.join(f'`{field[:60]}`' for field in twice)}"
    if reason is None and len(fields) > MOST_COLUMNS:
        reason = f"there are {len(fields):,} columns"
    if reason is not None:
        do = "mend the first line, or name the columns in `columns` if it is a row already"
        raise InvalidInput(Problem("wrong-format", reason, f"{name}:{line}", EXPECTED, hint=do))
    return tuple(fields)


def _check_delimiter(columns: Sequence[str], delimiter: str, name: str) -> None:
    other = next((one for one in DELIMITERS if one != delimiter and one in columns[0]), None)
    if len(columns) == 1 and other:
        shown = other.replace("\t", "\\t")
        what = f"the only column is `{columns[0][:60].replace(other, shown)}`: is `{shown}` the delimiter?"
        raise InvalidInput(
            Problem(
                "wrong-format",
                what,
                f"{name}:1",
                hint=f'set `delimiter: "{shown}"` at the source, or rename the column',
            )
        )


def _wrong_number(found: int, columns: Sequence[str]) -> str:
    if found > len(columns):
        return f"the row has {found} fields for {len(columns)} columns: is a text with the delimiter in it not quoted?"
    return f"the row has {found} fields for {len(columns)} columns: `{columns[found][:60]}` is the first without one"
