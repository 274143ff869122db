"""Reads Parquet with pyarrow, a batch of rows at a time, each value as JSON has it."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun.utils.suggest import nearest

BATCH = 1024  # rows
BUFFER = 1 << 20  # bytes read of a column at a time


class NoTextError(ValueError):
    """Raised for bytes that are no text."""


def read_parquet(path: Path, name: str, columns: Sequence[str] | None = None) -> Iterator[Row | BadRow]:
    """The rows, numbered from 1; of all columns, or of those that are named.

    Raises:
        InvalidInput: the file is damaged or no Parquet, has no rows, or lacks a column.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    number = 0
    try:
        with ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as file:
            _check(file.schema_arrow.names, columns, name)
            for batch in file.iter_batches(BATCH, columns=columns):
                for values in batch.to_pylist():
                    number += 1
                    yield _row(values, name, number)
    except (ArrowException, OSError, ValueError) as error:
        where = f"{name}:{number + 1}" if number else name
        reason = str(error).strip().splitlines()[0][:200]
        raise InvalidInput(Problem("damaged-file", f"the file is damaged, or no Parquet: {reason}", where)) from error
    if not number:
        raise InvalidInput(Problem("no-rows", "the file has no rows", name))


def _check(there: Sequence[str], columns: Sequence[str] | None, name: str) -> None:
    for column in columns or ():
        if column not in there:
            raise InvalidInput(
                Problem("unknown-column", f"there is no column `{column}`", name, did_you_mean=nearest(column, there))
            )


def _row(values: dict[str, Any], name: str, number: int) -> Row | BadRow:
    found: dict[str, Any] = {}
    for column, value in values.items():
        try:
            found[column] = value if type(value) is str else plain(value)
        except NoTextError:
            do = "name the columns to read in `columns`, without it"
            return BadRow(
                name, number, f"column `{column}` holds bytes that are no text: {do}", str(sorted(values))[:200]
            )
    return Row(found, name, number)


def plain(value: Any) -> Any:
    """The value as JSON has it: dates as ISO texts, decimals as numbers, NaN as null, maps as lists of pairs."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise NoTextError from None
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)
