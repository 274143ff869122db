"""Reader of CSV in constant memory. Each record becomes a row, or a bad row with the exact reason."""

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
from ftrun_plugins.data.sources.encoding_errors import DecodingErrors
from ftrun_plugins.data.sources.file_signature import UTF8_BOM, read_head
from ftrun_plugins.data.sources.jsonl_reader import MAX_ROW_BYTES
from ftrun_plugins.data.sources.open_data import open_data
from ftrun_plugins.data.sources.text_encoding import UTF8

EXPECTED = "a first line with the names of the columns, then one row per line"
MOST_COLUMNS = 10_000
DELIMITERS = (",", ";", "\t", "|")
NEVER_ENDS = "unexpected end of data"  # message of Python's reader if the file ends inside quotes


@dataclass(frozen=True)
class Shape:
    """Format of a CSV file. If `columns` is None, the first line has the names."""

    delimiter: str = ","
    quote: str | None = '"'
    columns: tuple[str, ...] | None = None
    encoding: str = UTF8


def read_csv(path: Path, name: str, shape: Shape) -> Iterator[Row | BadRow]:
    """Yield the rows of a file. The place of a row is its first line. All values are strings.

    Raises:
        InvalidInput: If the file as a whole is wrong: empty, binary, duplicate column names, an unclosed quote.
    """
    read_head(path, name, "CSV", EXPECTED, shape.encoding)
    csv.field_size_limit(MAX_ROW_BYTES)
    errors = DecodingErrors(path, name, shape.encoding)
    with open_data(path, name, shape.encoding) as file:
        lines = _Lines(file, name)
        records = _read_records(lines, shape, name)
        columns = shape.columns
        if columns is None:
            columns = _parse_header(next(records, None), name)
            _check_delimiter(columns, shape.delimiter, name)
        rows = 0
        for number, fields, reason in records:
            rows += 1
            code = "bad-row"
            if reason is None and len(fields) != len(columns):
                code, reason = "wrong-columns", _describe_field_count(len(fields), columns)
            if reason is None:
                yield Row(dict(zip(columns, fields, strict=True)), name, number)
            else:
                raw = shorten(shape.delimiter.join(fields).encode(errors="replace"))
                row = BadRow(name, number, reason, raw, code)
                yield errors.explain(row, *lines.undecodable) if lines.undecodable else row
        if not rows:
            raise InvalidInput(Problem("no-rows", "the file has column names, but no rows", name, EXPECTED))


Record = tuple[int, list[str], str | None]  # number of the first line, fields, error


def _read_records(lines: _Lines, shape: Shape, name: str) -> Iterator[Record]:
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
                raise _make_unclosed_error(lines.first, name) from None
            yield lines.first, [lines.excerpt], f"the quotes are wrong: {error}"
            continue
        if fields or lines.error:
            yield lines.first, fields, lines.error


class _Lines:
    """Lines of a file as strings, for Python's reader. Stores the first line and the error of the current record."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self._number = 0
        self.begin()

    def begin(self) -> None:
        """Start a new record with the next line."""
        self.first = self._number + 1
        self.error: str | None = None
        self.undecodable: tuple[bytes, int] | None = None  # the last line that is no text, and its number
        self.excerpt = ""
        self._bytes = 0

    @property
    def is_long(self) -> bool:
        """True if the record is longer than the limit."""
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
        except UnicodeDecodeError:
            self.error = f"line {self._number} cannot be decoded"
            self.undecodable = line, self._number
            text = line.decode(errors="replace")
        if "\0" in text:
            self.error = "the row holds NUL bytes: it is binary data, not text"
        self.excerpt = self.excerpt or text
        return text


def _make_unclosed_error(line: int, name: str) -> InvalidInput:
    what = f"the row that begins in line {line} is longer than {MAX_ROW_BYTES // 1_000_000} MB, or has no end"
    hint = 'look for an unclosed quote; inside quotes, write each quote twice: ""'
    return InvalidInput(Problem("wrong-format", what, f"{name}:{line}", hint=hint))


def _parse_header(record: Record | None, name: str) -> tuple[str, ...]:
    if record is None:
        raise InvalidInput(Problem("no-rows", "the file has only blank lines", name, EXPECTED))
    line, fields, reason = record
    duplicates = (
        sorted({field for field in fields if fields.count(field) > 1})[:3] if len(fields) <= MOST_COLUMNS else []
    )
    if reason is None and "" in fields:
        reason = f"column {fields.index('') + 1} has no name"
    if reason is None and duplicates:
        reason = f"several columns have the name {' or '.join(f'`{field[:60]}`' for field in duplicates)}"
    if reason is None and len(fields) > MOST_COLUMNS:
        reason = f"there are {len(fields):,} columns, more than {MOST_COLUMNS:,}"
    if reason is not None:
        hint = "fix the first line; if it is a row, set the names in `columns`"
        raise InvalidInput(Problem("wrong-format", reason, f"{name}:{line}", EXPECTED, hint=hint))
    return tuple(fields)


def _check_delimiter(columns: Sequence[str], delimiter: str, name: str) -> None:
    other = next((mark for mark in DELIMITERS if mark != delimiter and mark in columns[0]), None)
    if len(columns) == 1 and other:
        escaped = other.replace("\t", "\\t")
        what = f"the only column is `{columns[0][:60].replace(other, escaped)}`: is `{escaped}` the delimiter?"
        raise InvalidInput(
            Problem(
                "wrong-format",
                what,
                f"{name}:1",
                hint=f'set `delimiter: "{escaped}"` at the source, or rename the column',
            )
        )


def _describe_field_count(count: int, columns: Sequence[str]) -> str:
    if count > len(columns):
        return f"the row has {count} fields, not {len(columns)}; quote each value that contains the delimiter"
    return f"the row has {count} of {len(columns)} fields; the first missing column is `{columns[count][:60]}`"
