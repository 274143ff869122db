"""Shuffling of rows with little memory: each row gets a random number, and the rows are sorted by their numbers.

Rows are written to one file for each range of numbers. One file at a time is sorted in memory, so memory holds about a
hundredth of the data.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from ftrun.api.rows import Row
from ftrun.api.sources import BadRow

FILES = 128
BITS = 64  # of the random number of a row
DIGITS = BITS // 4
BUFFER = 1 << 16  # bytes per file
RAW = 200  # characters in the report of a row that cannot be written as JSON


def shuffled(rows: Iterable[Row | BadRow], seed: str, folder: Path) -> Iterator[Row | BadRow]:
    """Yield bad rows as they come, then the other rows in an order that depends only on the seed and their number."""
    rng = random.Random(seed)  # noqa: S311  (not used for secrets)
    with TemporaryDirectory(dir=folder) as directory:
        paths = [Path(directory) / str(number) for number in range(FILES)]
        with ExitStack() as stack:
            files = [stack.enter_context(path.open("wb", buffering=BUFFER)) for path in paths]
            for row in rows:
                if isinstance(row, BadRow):
                    yield row
                    continue
                try:
                    content = orjson.dumps((row.file, row.line, row.values))
                except orjson.JSONEncodeError as error:
                    yield BadRow(
                        row.file, row.line, f"a value cannot be written as JSON: {error}", repr(row.values)[:RAW]
                    )
                    continue
                sort_key = rng.getrandbits(BITS)
                files[sort_key * FILES >> BITS].write(b"%0*x%s\n" % (DIGITS, sort_key, content))
        for path in paths:
            yield from _read_sorted(path)


def _read_sorted(path: Path) -> Iterator[Row]:
    for line in sorted(path.read_bytes().splitlines()):
        file, number, values = orjson.loads(line[DIGITS:])
        yield Row(values, file, number)
