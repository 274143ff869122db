"""Templates such as `Question: {question}`: text with column names in braces.

`str.format` is not used, because it also reads attributes of values and applies format specifications.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from ftrun_plugins.data.formatters.column_messages import missing_column
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.row_access import Values, to_text

PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
NOT_A_NAME = re.compile(r"[.\[\]:!]")


@cache
def parse(template: str) -> tuple[tuple[str, str | None], ...]:
    """Parse a template into pairs of literal text and the column that follows it, which is None in the last pair.

    Raises:
        ValueError: If a brace has no partner, or if braces enclose anything but a column name.
    """
    parts: list[tuple[str, str | None]] = []
    literal, end = "", 0
    for match in PART.finditer(template):
        literal += template[end : match.start()]
        end = match.end()
        if match[0] in ("{{", "}}"):
            literal += match[0][0]
        elif match[1] is None:
            brace, place = match[0], match.start() + 1
            raise ValueError(f"`{brace}` at character {place} has no partner; write `{brace * 2}` for a literal brace")
        else:
            parts.append((literal, _check_name(match[1], match[0])))
            literal = ""
    return (*parts, (literal + template[end:], None))


def columns(template: str) -> list[str]:
    """Return the columns that a template names, in order."""
    return [column for _, column in parse(template) if column is not None]


def fill(template: str, row: Mapping[str, Any], values: Values = "text") -> str:
    """Return the template with the values of a row in place of the column names.

    Raises:
        InvalidRowError: If a column is missing, or its value is no text.
    """
    return "".join(
        literal + ("" if column is None else _to_text(column, row, values)) for literal, column in parse(template)
    )


def _check_name(name: str, placeholder: str) -> str:
    if not name.strip():
        raise ValueError(f"`{placeholder}` names no column")
    if name != name.strip() or NOT_A_NAME.search(name):
        raise ValueError(f"`{placeholder}` must hold only a column name, without outer spaces and without . [ ] : !")
    return name


def _to_text(column: str, row: Mapping[str, Any], values: Values) -> str:
    try:
        value = row[column]
    except KeyError:
        raise InvalidRowError("missing-value", missing_column(column, row)) from None
    return to_text(value, f"`{column}`", values)
