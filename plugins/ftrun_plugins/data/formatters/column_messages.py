"""Words about names: a column that a row lacks, and what was perhaps meant by a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ftrun.utils.suggest import nearest

MOST_NAMES = 8
NAME_CHARACTERS = 40


def missing_column(column: str, values: Mapping[str, Any]) -> str:
    """Says that a column is missing, which ones there are, and which was perhaps meant."""
    return f"there is no column `{column}`: the row has {list_names(values)}{suggestion(column, values)}"


def list_names(names: Iterable[str]) -> str:
    """The names in backquotes; bounded, whatever the row."""
    short = [f"`{_printable(name[:NAME_CHARACTERS])}`" for name in names]
    more = f" and {len(short) - MOST_NAMES} more" if len(short) > MOST_NAMES else ""
    return (", ".join(short[:MOST_NAMES]) or "none") + more


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or nothing where no known name is close."""
    close = nearest(name, [other[:NAME_CHARACTERS] for other in known], most=1)
    return f"; did you mean `{_printable(close[0])}`?" if close else ""


def _printable(name: str) -> str:
    """On one line, whatever is in it."""
    return name if name.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)
