"""Templates such as `Question: {question}`: text with column names in braces.

A section `{#hint}Hint: {hint}{/hint}` vanishes if its column is missing, null or blank. The section
`{^hint}No hint.{/hint}` vanishes if it is not. Both are as in Mustache (https://mustache.github.io/mustache.5.html).
`str.format` is not used, because it also reads attributes of values and applies format specifications.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from ftrun_plugins.data.formatters.column_messages import missing_column
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.row_access import Values, to_text

TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
NOT_A_NAME = re.compile(r"[.\[\]:!]")


@dataclass(frozen=True)
class Placeholder:
    """Place of a column."""

    column: str


@dataclass(frozen=True)
class Section:
    """Parts that vanish if the column says nothing, or, if the section is inverted, if it says something."""

    column: str
    parts: Parts
    inverted: bool = False


Parts: TypeAlias = "tuple[str | Placeholder | Section, ...]"


@cache
def parse(template: str) -> Parts:
    """Parse a template into literal texts, placeholders and sections.

    Raises:
        ValueError: If a brace has no partner, braces enclose anything but a column name, or a section has no end.
    """
    open_sections: list[tuple[str, bool, list[str | Placeholder | Section]]] = [("", False, [])]
    for kind, text in _tokens(template):
        column, inverted, parts = open_sections[-1]
        if kind == "literal":
            parts.append(text)
        elif kind == "column":
            parts.append(Placeholder(text))
        elif kind in ("open", "open inverted"):
            open_sections.append((text, kind == "open inverted", []))
        elif len(open_sections) > 1 and column == text:
            open_sections.pop()
            open_sections[-1][2].append(Section(column, tuple(parts), inverted))
        else:
            raise ValueError(f"`{{/{text}}}` ends a section that is not open")
    if len(open_sections) > 1:
        name, inverted, _ = open_sections[-1]
        raise ValueError(
            f"the section `{{{'^' if inverted else '#'}{name}}}` has no end; write `{{/{name}}}` behind it"
        )
    return tuple(open_sections[0][2])


def columns(template: str) -> list[str]:
    """Return the columns that a template names, in order."""
    return list(_columns(parse(template)))


def fill(template: str, row: Mapping[str, Any], values: Values = "text") -> str:
    """Return the template with the values of a row in place of the column names.

    Raises:
        InvalidRowError: If a column is missing, or its value is no text.
    """
    return _fill(parse(template), row, values)


def _tokens(template: str) -> Iterator[tuple[str, str]]:
    """Yield literal texts, columns, and the begins (`open`, `open inverted`) and ends (`close`) of sections."""
    end = 0
    for match in TOKEN.finditer(template):
        if match.start() > end:
            yield "literal", template[end : match.start()]
        end = match.end()
        if match[0] in ("{{", "}}"):
            yield "literal", match[0][0]
        elif match[1] is None:
            brace, place = match[0], match.start() + 1
            raise ValueError(f"`{brace}` at character {place} has no partner; write `{brace * 2}` for a literal brace")
        else:
            kind = {"#": "open", "^": "open inverted", "/": "close"}.get(match[1][:1], "column")
            yield kind, _check_name(match[1] if kind == "column" else match[1][1:], match[0])
    if end < len(template):
        yield "literal", template[end:]


def _columns(parts: Parts) -> Iterator[str]:
    for part in parts:
        if not isinstance(part, str):
            yield part.column
        if isinstance(part, Section):
            yield from _columns(part.parts)


def _fill(parts: Parts, row: Mapping[str, Any], values: Values) -> str:
    texts = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, Placeholder):
            value = row.get(part.column)
            texts.append(value if type(value) is str else _to_text(part.column, row, values))
        elif _says_something(part.column, row, values) != part.inverted:
            texts.append(_fill(part.parts, row, values))
    return "".join(texts)


def _says_something(column: str, row: Mapping[str, Any], values: Values) -> bool:
    return row.get(column) is not None and bool(_to_text(column, row, values).strip())


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
