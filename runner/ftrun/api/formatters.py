"""Protocols of formatters, which turn rows into examples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from ftrun.api.options import Options
from ftrun.api.rows import Example, Rejected, Row

__all__ = ["Choice", "ChoosingFormatter", "Formatter"]


class Formatter(Protocol):
    """Component that turns a row into an example, or rejects it with a reason. It must depend only on its arguments.

    `Options` is a subclass of `ftrun.api.rows.FormatterOptions`. Options that name columns have the type `Column` or
    `OptionalColumn`, so that no column occurs twice in an example.
    """

    name: ClassVar[str]

    @property
    def Options(self) -> type[Options]: ...  # noqa: N802  (a class, by the name that plugins give it)

    def format(self, row: Row, options: Any) -> Example | Rejected:
        """Return the example of a row, or the reason for its rejection."""
        ...


@dataclass(frozen=True)
class Choice:
    """Formatter that fits the data, with its options.

    Args:
        formatter: The formatter.
        options: An instance of the `Options` of the formatter.
        name: The name of the formatter and the options that a recipe would set, for messages.
        why: The reason for the choice, in one sentence.
    """

    formatter: Formatter
    options: Any
    name: str
    why: str


class ChoosingFormatter(Protocol):
    """Formatter that chooses another formatter by the data, before any row is formatted.

    The choice must depend only on the rows and on the code of the class. The key contains this code and the modules of
    its package that it imports. So the class must import all formatters that it can choose.
    """

    name: ClassVar[str]

    @property
    def Options(self) -> type[Options]: ...  # noqa: N802  (a class, by the name that plugins give it)

    def choose(self, rows: Iterable[Row], options: Any) -> Choice:
        """Return the formatter for all rows of a source, chosen by its first rows.

        Raises:
            InvalidInput: If no formatter fits.
        """
        ...

    def format(self, row: Row, options: Any) -> Example | Rejected:
        """Format a row with the formatter that is chosen by this row alone."""
        ...
