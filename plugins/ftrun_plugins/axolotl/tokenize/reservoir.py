"""Uniform random sample of a stream of rows (Vitter's algorithm R, 1985)."""

from __future__ import annotations

import random
from typing import Any

SIZE = 64
SEED = 0


class Sample:
    """Sample of at most `SIZE` rows. The same rows in the same order always give the same sample."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._row_count = 0
        self._generator = random.Random(SEED)  # noqa: S311  (not for cryptography)

    def offer(self, row: dict[str, Any]) -> None:
        """Add the row to the sample, or drop it."""
        self._row_count += 1
        if len(self.rows) < SIZE:
            self.rows.append(row)
        elif (index := self._generator.randrange(self._row_count)) < SIZE:
            self.rows[index] = row
