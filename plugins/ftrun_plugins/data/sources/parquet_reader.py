"""Reader of Parquet with pyarrow, in batches of rows. Converts each value to a JSON type."""

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
from ftrun.utils.limits import memory_limit
from ftrun.utils.sizes import human_size
from ftrun.utils.suggest import nearest
from ftrun.utils.text import first_line

BATCH = 1024  # rows
BUFFER = 1 << 20  # bytes per read of a column
FREE = 256_000_000  # bytes of memory for a batch of a small file; repeated values of a few hundred bytes can fill it
MOST_TIMES = 30  # memory for a batch of a larger file, as a multiple of its size


class NoTextError(ValueError):
    """Error for bytes that are not text in UTF-8."""


def read_parquet(path: Path, name: str, columns: Sequence[str] | None = None) -> Iterator[Row | BadRow]:
    """Yield the rows, numbered from 1, with all columns or only with `columns`.

    Raises:
        InvalidInput: If the file is damaged or is not Parquet, has no rows, lacks a column, or needs too much memory.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    number = 0
    try:
        most = max(FREE, path.stat().st_size * MOST_TIMES)
        with memory_limit(most):
            file = ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)
        with file:
            _check_columns(file.schema_arrow.names, columns, name)
            batches = file.iter_batches(BATCH, columns=columns)
            while (rows := _read_batch(batches, most)) is not None:
                for values in rows:
                    number += 1
                    yield _convert_row(values, name, number)
    except MemoryError as error:
        what = f"the rows of {human_size(path.stat().st_size)} unpack to more than {human_size(most)} at a time"
        hint = "check its content; if the content is right, convert it to JSON Lines"
        raise InvalidInput(Problem("too-large", what, f"{name}:{number + 1}", hint=hint)) from error
    except (ArrowException, OSError, ValueError) as error:
        place = f"{name}:{number + 1}" if number else name
        reason = first_line(error, 200)
        raise InvalidInput(
            Problem("damaged-file", f"the file is damaged, or is not Parquet: {reason}", place)
        ) from error
    if not number:
        raise InvalidInput(Problem("no-rows", "the file has no rows", name))


def _read_batch(batches: Iterator[Any], most: int) -> list[dict[str, Any]] | None:
    """Return the next rows, or None at the end. Raises MemoryError if they need more than `most` bytes."""
    with memory_limit(most):
        batch = next(batches, None)
        rows: list[dict[str, Any]] | None = None if batch is None else batch.to_pylist()
        return rows


def _check_columns(available: Sequence[str], columns: Sequence[str] | None, name: str) -> None:
    for column in columns or ():
        if column not in available:
            raise InvalidInput(
                Problem(
                    "unknown-column", f"there is no column `{column}`", name, did_you_mean=nearest(column, available)
                )
            )


def _convert_row(values: dict[str, Any], name: str, number: int) -> Row | BadRow:
    result: dict[str, Any] = {}
    for column, value in values.items():
        try:
            result[column] = value if type(value) is str else to_json_value(value)
        except NoTextError:
            hint = "to leave it out, list the other columns in `columns`"
            return BadRow(
                name, number, f"column `{column}` holds bytes that are not text; {hint}", str(sorted(values))[:200]
            )
    return Row(result, name, number)


def to_json_value(value: Any, in_arguments: bool = False) -> Any:
    """Convert a value to JSON: dates to ISO strings, decimals to numbers, NaN to null, maps to lists of pairs.

    All structs of a column have the same keys, and null fills those that a struct does not have, so null keys are
    left out. In the arguments of a call they stay: formatters compare them with the parameters of the tool.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {
            key: to_json_value(inner, in_arguments or key == "arguments")
            for key, inner in value.items()
            if inner is not None or in_arguments
        }
    if isinstance(value, list | tuple):
        return [to_json_value(inner, in_arguments) for inner in value]
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
