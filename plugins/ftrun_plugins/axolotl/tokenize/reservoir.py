"""A few rows of many, drawn alike from all of them while they pass by (Vitter's algorithm R, 1985)."""

from __future__ import annotations

import random
from typing import Any

SIZE = 64
SEED = 0


class Sample:
    """At most `SIZE` rows; the same ones for the same rows in the same order."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._seen = 0
        self._generator = random.Random(SEED)  # noqa: S311  (a sample is no secret)

    def offer(self, row: dict[str, Any]) -> None:
        """Takes the row in, or leaves it out."""
        self._seen += 1
        if len(self.rows) < SIZE:
            self.rows.append(row)
        elif (place := self._generator.randrange(self._seen)) < SIZE:
            self.rows[place] = row
