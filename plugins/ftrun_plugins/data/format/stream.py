"""One source's rows on their way to the formatter: named for their part, filtered, shuffled, up to the limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.formatters import Choice, Formatter
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun_plugins.data.format.external_shuffle import shuffled
from ftrun_plugins.data.format.formatter_selection import chosen
from ftrun_plugins.data.format.holdout import Splitter
from ftrun_plugins.data.format.params import Reading
from ftrun_plugins.data.format.row_filter import RowFilter


class SourceReader:
    """The rows of one source, with what makes examples of them and what is counted of them.

    Args:
        reading: What its rows go through.
        read: Reads the source from its beginning.
        formatter: Makes examples of its rows.
        seed: For shuffling; None keeps the order.
        folder: Where rows that are shuffled may lie.
    """

    def __init__(
        self,
        reading: Reading,
        read: Callable[[], Iterator[Row | BadRow]],
        formatter: Formatter,
        seed: int | None,
        folder: Path,
    ) -> None:
        self.reading = reading
        self.formatter = formatter
        self.options: Any = formatter.Options.model_validate(reading.formatter.options)
        self.choice: Choice | None = None  # of a formatter that leaves the work to another
        self.splitter = Splitter(reading.split)
        self.sieve = RowFilter(reading.filters)
        self.rows = self.train = self.held_out = self.rejected = 0  # counted by whoever formats them
        self._read, self._seed, self._folder = read, seed, folder
        self._whose = f" of part `{reading.part}`" if reading.part else ""
        self._whole = False  # read once already, so that its rows are repeated ones

    def choose(self) -> str | None:
        """Takes the formatter that the recipe's one chooses by the first rows; returns what to tell of it.

        Raises:
            InvalidInput: none fits, or the filters leave no row to choose by.
        """
        sieve = RowFilter(self.reading.filters)
        try:
            self.choice = chosen(self.formatter, self.options, self._bounded(self._kept(sieve)))
        except InvalidInput:
            if any(sieve.removed) and not sieve.passed:
                raise InvalidInput(sieve.nothing_left(self._whose)) from None
            raise
        if self.choice is None:
            return None
        self.formatter, self.options = self.choice.formatter, self.choice.options
        whose = f" for part `{self.reading.part}`" if self.reading.part else ""
        whose += " for the held-out rows" if self.reading.role == "held_out" else ""
        return f"{self.choice.name}{whose}: {self.choice.why}"

    @property
    def weight(self) -> float | None:
        return self.reading.weight

    def one_pass(self) -> Iterator[Row | BadRow]:
        """All rows once, in the same order each time. From the second pass on, what is bad has been told.

        Raises:
            InvalidInput: no row is left by the filters, or a part has none.
        """
        sieve = self.sieve if not self._whole else RowFilter(self.reading.filters)
        good = bad = 0
        for row in self._bounded(self._prepared(sieve)):
            if isinstance(row, Row):
                good += 1
                yield row
            elif not self._whole:
                bad += 1
                yield row
        self._whole = True
        if good == 0 and any(sieve.removed):
            raise InvalidInput(sieve.nothing_left(self._whose))
        if good == bad == 0 and self.reading.part:
            raise InvalidInput(Problem("no-rows", f"the source{self._whose} has no rows"))

    @property
    def repeats(self) -> bool:
        """Whether the rows that come now came before."""
        return self._whole

    def report(self, passes: int) -> dict[str, Any]:
        """What is told of it."""
        reading = self.reading
        told: dict[str, Any] = {"role": reading.role, "name": reading.source.name, "rows": self.rows}
        told["files"] = [file.model_dump(mode="json") for file in reading.source.files]
        if reading.part:
            told |= {"part": reading.part, "weight": reading.weight, "passes": passes}
            told |= {"train": self.train, "held_out": self.held_out, "rejected": self.rejected}
        if self.choice is not None:
            told["chose"] = {"name": self.choice.name, "why": self.choice.why}
        return told | ({"filters": self.sieve.counts()} if reading.filters else {})

    def _prepared(self, sieve: RowFilter) -> Iterable[Row | BadRow]:
        rows = self._kept(sieve)
        if self._seed is None:
            return rows
        return shuffled(rows, f"{self._seed} {self.reading.role} {self.reading.part or ''}", self._folder)

    def _kept(self, sieve: RowFilter) -> Iterable[Row | BadRow]:
        rows: Iterable[Row | BadRow] = self._read()
        part = self.reading.part
        if part is not None:
            rows = _named(part, rows)
        return sieve.kept(rows) if self.reading.filters else rows

    def _bounded(self, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """Up to the limit; a row that could not be read does not count."""
        left = self.reading.limit
        if left is None:
            yield from rows
            return
        for row in rows:
            yield row
            left -= isinstance(row, Row)
            if not left:
                return


def _named(part: str, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
    """The rows with the part's name before the file's."""
    for row in rows:
        file = f"{part}/{row.file}"
        yield Row(row.values, file, row.line) if isinstance(row, Row) else replace(row, file=file)
