"""Table of a report."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Table for the macro `table`. The first cell of a row is its title."""

    caption: str
    titles: Sequence[str]  # of the columns
    rows: Sequence[Sequence[str]]
    numbers: Collection[int] = ()  # indices of the columns that are aligned to the right

    @property
    def columns(self) -> list[int]:
        """Indices of the columns that are shown: those that are not empty."""
        return [column for column in range(len(self.titles)) if not self.rows or any(row[column] for row in self.rows)]
