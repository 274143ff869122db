"""Shuffles rows in little memory: every row draws a number, and the rows come out in the order of their numbers.

Rows wait on disk, in a file for each range of numbers; one file at a time is sorted in memory, which so holds about a
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
BITS = 64
DIGITS = BITS // 4
BUFFER = 1 << 16  # bytes, of each file
RAW = 200  # bytes shown of a row that cannot be kept


def shuffled(rows: Iterable[Row | BadRow], seed: str, folder: Path) -> Iterator[Row | BadRow]:
    """The bad rows as they come, then the others in an order that depends on the seed and on their number alone."""
    chance = random.Random(seed)  # noqa: S311  an order, no secret
    with TemporaryDirectory(dir=folder) as place:
        paths = [Path(place) / str(number) for number in range(FILES)]
        with ExitStack() as stack:
            files = [stack.enter_context(path.open("wb", buffering=BUFFER)) for path in paths]
            for row in rows:
                if isinstance(row, BadRow):
                    yield row
                    continue
                try:
                    kept = orjson.dumps((row.file, row.line, row.values))
                except orjson.JSONEncodeError as error:
                    yield BadRow(row.file, row.line, f"it cannot be written as JSON: {error}", repr(row.values)[:RAW])
                    continue
                drawn = chance.getrandbits(BITS)
                files[drawn * FILES >> BITS].write(b"%0*x%s\n" % (DIGITS, drawn, kept))
        for path in paths:
            yield from _sorted(path)


def _sorted(path: Path) -> Iterator[Row]:
    for line in sorted(path.read_bytes().splitlines()):
        file, number, values = orjson.loads(line[DIGITS:])
        yield Row(values, file, number)
