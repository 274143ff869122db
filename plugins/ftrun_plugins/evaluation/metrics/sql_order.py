"""Rows that an ORDER BY leaves in any order, because their sort keys are equal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from ftrun_plugins.evaluation.metrics.sql_database import Cell, Result, Row
from ftrun_plugins.evaluation.metrics.sql_result import contains_rows
from ftrun_plugins.evaluation.metrics.sql_statement import QUOTED

PART = re.compile(
    rf"{QUOTED}|[(),]|\b(?:ORDER\s+BY|LIMIT|FROM|DISTINCT|UNION|INTERSECT|EXCEPT)\b", re.DOTALL | re.IGNORECASE
)
DIRECTION = re.compile(r"\s+(?:ASC|DESC)?(?:\s*NULLS\s+(?:FIRST|LAST))?\s*\Z", re.IGNORECASE)
LIMIT = re.compile(r"LIMIT\s+(\d+)(?:\s+OFFSET\s+(\d+)|\s*,\s*\d+)?\s*\Z", re.IGNORECASE)
SINGLE_SELECT = {"DISTINCT", "UNION", "INTERSECT", "EXCEPT"}  # words of statements that allow no further column


@dataclass(frozen=True)
class OrderedQuery:
    """Parts of a statement with an ORDER BY outside parentheses.

    Args:
        select: The text before `source`.
        source: The text from the FROM to the ORDER BY, or an empty text if a further column is not possible.
        terms: The terms of the ORDER BY.
        limit: The LIMIT, or an empty text.
    """

    select: str
    source: str
    terms: tuple[str, ...]
    limit: str

    @property
    def offset(self) -> int | None:
        """Number of rows that the limit skips. None if it is not a plain number."""
        if not self.limit:
            return 0
        match = LIMIT.fullmatch(self.limit.strip())
        if match is None:
            return None
        return int(match[1]) if "," in self.limit else int(match[2] or 0)

    def with_keys(self, expressions: Sequence[str], limit: str) -> str:
        """Return the statement with further columns. Each part is on its own line, because it may end in a comment."""
        columns = "".join(f"\n, {expression}" for expression in expressions)
        return f"{self.select}{columns}\n{self.source}\nORDER BY {', '.join(self.terms)}\n{limit}"


@dataclass(frozen=True)
class Ties:
    """Rows without the limit of the statement, in groups with equal sort keys, and the number of rows to skip."""

    groups: tuple[tuple[Row, ...], ...]
    offset: int

    def allow(self, rows: Sequence[Row]) -> bool:
        """Return whether the rows are in an order that the statement allows."""
        start, end = self.offset, self.offset + len(rows)
        position = 0
        for group in self.groups:
            first, last = max(position, start), min(position + len(group), end)
            if first < last and not contains_rows(group, rows[first - start : last - start]):
                return False
            position += len(group)
        return position >= end


def find_ties(statement: str, expected: Result, run: Callable[[str], Result]) -> Ties | None:
    """Return the ties of a reference, which `run` executes again with its sort keys as columns.

    Returns None if the keys cannot be found. Then the order of the expected rows is the only one.
    """
    query = parse(statement)
    if query is None:
        return None
    width, indexes, expressions = len(expected.columns), list[int](), list[str]()
    for term in query.terms:
        expression = DIRECTION.sub("", f"{term} ").strip()
        index = _find_column(expression, expected.columns)
        if index is None:
            index = width + len(expressions)
            expressions.append(expression)
        indexes.append(index)
    if expressions and not query.source:
        return None
    for limit, offset in (("", query.offset), (query.limit, 0)):
        result = run(query.with_keys(expressions, limit))
        if result.error is None and offset is not None:
            ties = Ties(tuple(_group(result.rows, indexes, width)), offset)
            return ties if ties.allow(expected.rows) else None
    return None


def parse(statement: str) -> OrderedQuery | None:
    """Return the parts of a statement, or None if it has no ORDER BY outside parentheses."""
    depth, source, order, limit, single = 0, None, None, None, True
    commas: list[int] = []
    for part in PART.finditer(statement):
        depth += {"(": 1, ")": -1}.get(part[0], 0)
        word = part[0].upper()
        if depth or word == ")":
            continue
        if word == "FROM" and source is None:
            source = part.start()
        elif word.startswith("ORDER"):
            order, limit, commas = part, None, []
        elif word == "LIMIT" and order:
            limit = part.start()
        elif word == "," and order and limit is None:
            commas.append(part.start())
        elif word in SINGLE_SELECT:
            single = False
    if order is None:
        return None
    end = len(statement) if limit is None else limit
    bounds = [order.end() - 1, *commas, end]
    terms = tuple(statement[start + 1 : stop].strip() for start, stop in pairwise(bounds))
    at = source if source is not None and single else order.start()
    return OrderedQuery(statement[:at], statement[at : order.start()], terms, statement[end:])


def _find_column(term: str, columns: Sequence[str]) -> int | None:
    """Return the index of the column of the result that a sort term names, by its number or by its name."""
    if term.isdecimal():
        return int(term) - 1 if 0 < int(term) <= len(columns) else None
    name = term.strip('"`[]').casefold()
    return next((index for index, column in enumerate(columns) if column.casefold() == name), None)


def _group(rows: Sequence[Row], indexes: Sequence[int], width: int) -> Iterator[tuple[Row, ...]]:
    def key(row: Row) -> list[Cell]:
        return [row[index] for index in indexes]

    for _, group in groupby(rows, key):
        yield tuple(row[:width] for row in group)
