"""Templates such as `Question: {question}`: text with column names in braces.

`str.format` is not used, because it also reads attributes of values and applies format specifications.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.column_messages import missing_column
from ftrun_plugins.data.formatters.errors import InvalidRowError

PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
NOT_A_NAME = re.compile(r"[.\[\]:!]")
EXACT = 2.0**63  # integers from here on are parsed as floats and may lose digits


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


def fill(template: str, values: Mapping[str, Any]) -> str:
    """Return the template with the values of a row in place of the column names.

    Raises:
        InvalidRowError: If a column is missing, or its value is not a string, number or boolean.
    """
    return "".join(
        literal + ("" if column is None else _to_text(column, values)) for literal, column in parse(template)
    )


def _check_name(name: str, placeholder: str) -> str:
    if not name.strip():
        raise ValueError(f"`{placeholder}` names no column")
    if name != name.strip() or NOT_A_NAME.search(name):
        raise ValueError(f"`{placeholder}` must hold only a column name, without outer spaces and without . [ ] : !")
    return name


def _to_text(column: str, values: Mapping[str, Any]) -> str:
    try:
        value = values[column]
    except KeyError:
        raise InvalidRowError("missing-value", missing_column(column, values)) from None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"  # as in JSON
    if isinstance(value, float) and abs(value) >= EXACT:
        raise InvalidRowError("wrong-type", f"`{column}` is a number too large to be exact; write it as a string")
    if isinstance(value, int | float):
        return str(value)
    raise InvalidRowError("wrong-type", f"`{column}` is {type_name(value)}, not a string, number or boolean")
