"""Takes the value of a column out of a row, of the type that it must have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.column_messages import missing_column
from ftrun_plugins.data.formatters.errors import InvalidRowError

T = TypeVar("T")
KINDS: Mapping[type[Any], str] = {str: "a text", list: "a list"}


def require_text(values: Mapping[str, Any], column: str) -> str:
    """A text that says something. Raises `InvalidRowError`."""
    if column not in values:
        raise InvalidRowError("missing-value", missing_column(column, values))
    text = values[column]
    if type(text) is not str:
        raise InvalidRowError("wrong-type", f"`{column}` is {type_name(text)}, not a text")
    if not text or text.isspace():
        raise InvalidRowError("empty-value", f"`{column}` is empty")
    return text


def optional_value(values: Mapping[str, Any], column: str | None, default: str, kind: type[T]) -> T | None:
    """Return a value that the row may lack; None if it is null, without the column, or if `column` is None.

    A column that the recipe names, which is another than by `default`, has to be there: it would be misspelt.

    Raises:
        InvalidRowError: the value is of another type, or a named column is missing.
    """
    if column is None:
        return None
    value = values.get(column)
    if value is None:
        if column != default and column not in values:
            raise InvalidRowError("missing-value", missing_column(column, values))
        return None
    if type(value) is not kind:
        raise InvalidRowError("wrong-type", f"`{column}` is {type_name(value)}, not {KINDS[kind]}")
    return value
