"""Access to the columns of a row, with checks of the types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.column_messages import missing_column
from ftrun_plugins.data.formatters.errors import InvalidRowError

T = TypeVar("T")
KINDS: Mapping[type[Any], str] = {str: "a string", list: "a list"}


def require_text(values: Mapping[str, Any], column: str) -> str:
    """Return the string in a column.

    Raises:
        InvalidRowError: If the column is missing, or its value is not a string or is blank.
    """
    if column not in values:
        raise InvalidRowError("missing-value", missing_column(column, values))
    text = values[column]
    if type(text) is not str:
        raise InvalidRowError("wrong-type", f"`{column}` is {type_name(text)}, not a string")
    if not text or text.isspace():
        raise InvalidRowError("empty-value", f"`{column}` is empty")
    return text


def optional_value(values: Mapping[str, Any], column: str | None, default: str, kind: type[T]) -> T | None:
    """Return an optional value, or None if it is null, if the row lacks the column, or if `column` is None.

    A column other than `default` is named in the recipe. If the row lacks it, the name is probably misspelt.

    Raises:
        InvalidRowError: If the value has another type, or if a column that is named in the recipe is missing.
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
