"""Protocols of formatters: they make an example of a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from ftrun.api.options import Options
from ftrun.api.rows import Example, Rejected, Row


class Formatter(Protocol):
    """Makes an example of a row, or rejects it with a reason. Must depend on nothing but its arguments.

    `Options` is a subclass of `ftrun.api.rows.FormatterOptions`. Options that name columns have the type `Column` or
    `OptionalColumn`, so that no column stands twice in an example.
    """

    name: ClassVar[str]

    @property
    def Options(self) -> type[Options]: ...  # noqa: N802  (a class, by the name that plugins give it)

    def format(self, row: Row, options: Any) -> Example | Rejected: ...


@dataclass(frozen=True)
class Choice:
    """A formatter for the data at hand: with its options, as a recipe would name both, and why, in one sentence."""

    formatter: Formatter
    options: Any
    name: str
    why: str


class ChoosingFormatter(Protocol):
    """A formatter that leaves the work to another, which it chooses by the data before any row is formatted.

    The choice depends on the rows and on its own code alone, and that code is in the key with all that it imports from
    its package: so the formatters to choose from have to be among those imports.
    """

    name: ClassVar[str]

    @property
    def Options(self) -> type[Options]: ...  # noqa: N802  (a class, by the name that plugins give it)

    def choose(self, rows: Iterable[Row], options: Any) -> Choice:
        """The formatter for all rows, by the first of each source. Raises `InvalidInput` where none fits."""
        ...

    def format(self, row: Row, options: Any) -> Example | Rejected:
        """What the choice by this row alone makes of it."""
        ...
