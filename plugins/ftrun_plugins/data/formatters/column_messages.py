"""Parts of messages about names: missing columns, and suggestions for misspelt names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ftrun.utils.suggest import nearest
from ftrun_plugins.data.formatters.preferences import suggest_good_answers

MOST_NAMES = 8
NAME_CHARACTERS = 40


def missing_column(column: str, values: Mapping[str, Any]) -> str:
    """Return a message about a missing column, with the columns of the row and a suggestion."""
    pairs = suggest_good_answers(values)
    more = f"; {pairs}" if pairs else suggestion(column, values)
    return f"there is no column `{column}`: the row has {list_names(values)}{more}"


def list_names(names: Iterable[str]) -> str:
    """Return the names in backquotes. Shortens long names and long lists."""
    short = [f"`{_escape(name[:NAME_CHARACTERS])}`" for name in names]
    more = f" and {len(short) - MOST_NAMES} more" if len(short) > MOST_NAMES else ""
    return (", ".join(short[:MOST_NAMES]) or "none") + more


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?`, or an empty string if no known name is similar."""
    close = nearest(name, [other[:NAME_CHARACTERS] for other in known], most=1)
    return f"; did you mean `{_escape(close[0])}`?" if close else ""


def _escape(name: str) -> str:
    """Return the name with unprintable characters escaped, so that it fits on one line."""
    return name if name.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)
