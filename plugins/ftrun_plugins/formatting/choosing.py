"""Lets a formatter that chooses by the data look at the first rows, before any row is formatted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ftrun.contracts import BadRow, Choice, Formatter
from ftrun.examples import Row
from ftrun.execute.context import Reporter

LOOKED_AT = 1000  # rows of each source, bad ones included


def chosen(formatter: Formatter, options: Any, sources: Iterable[Iterable[Row | BadRow]]) -> Choice | None:
    """What the formatter chooses for the rows of the sources; None where it is not one that chooses.

    Raises:
        Refused: no formatter fits the rows.
    """
    choose = getattr(formatter, "choose", None)
    if choose is None:
        return None
    choice: Choice = choose(_first_rows(sources), options)
    return choice


def tell(choice: Choice, name: str, report: Reporter) -> None:
    """Says what was chosen: in the run's output, and for `ftrun show` among the metrics."""
    text = f"{choice.name}: {choice.why}"
    report.event("note", text=f"{name} chose {text}")
    report.metric(chose=text)


def _first_rows(sources: Iterable[Iterable[Row | BadRow]]) -> Iterator[Row]:
    for rows in sources:
        yield from (row for row in islice(rows, LOOKED_AT) if isinstance(row, Row))
