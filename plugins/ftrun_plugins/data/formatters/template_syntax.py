"""Templates such as `Question: {question}`: text with the names of columns in braces, and nothing else in them.

`str.format` would do more than is wanted: reach into attributes of values, and apply format specifications.
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
EXACT = 2.0**63  # integers from here on arrive as floating point numbers


@cache
def parse(template: str) -> tuple[tuple[str, str | None], ...]:
    """The template as pairs of literal text and the column that follows it, None after the last.

    Raises:
        ValueError: where a brace has no partner, or something else than a column's name stands between two.
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
            raise ValueError(f"`{brace}` at character {place} has no partner; write `{brace * 2}` for the brace itself")
        else:
            parts.append((literal, _name(match[1], match[0])))
            literal = ""
    return (*parts, (literal + template[end:], None))


def columns(template: str) -> list[str]:
    """The columns that a template names, in its order."""
    return [column for _, column in parse(template) if column is not None]


def fill(template: str, values: Mapping[str, Any]) -> str:
    """The template with a row's values in place of the columns' names. Raises `InvalidRowError`."""
    return "".join(literal + ("" if column is None else _text(column, values)) for literal, column in parse(template))


def _name(name: str, placeholder: str) -> str:
    if not name.strip():
        raise ValueError(f"`{placeholder}` names no column")
    if name != name.strip() or NOT_A_NAME.search(name):
        raise ValueError(f"`{placeholder}` must hold a column's name alone: no spaces around it, none of . [ ] : !")
    return name


def _text(column: str, values: Mapping[str, Any]) -> str:
    try:
        value = values[column]
    except KeyError:
        raise InvalidRowError("missing-value", missing_column(column, values)) from None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"  # as it stands in the data
    if isinstance(value, float) and abs(value) >= EXACT:
        raise InvalidRowError("wrong-type", f"`{column}` is a number too large to be kept exactly; write it as a text")
    if isinstance(value, int | float):
        return str(value)
    raise InvalidRowError("wrong-type", f"`{column}` is {type_name(value)}, not a text, number or boolean")
