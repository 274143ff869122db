"""Access to the columns of a row, with checks of the types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, TypeVar

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.column_messages import missing_column
from ftrun_plugins.data.formatters.errors import InvalidRowError

T = TypeVar("T")
Values: TypeAlias = Literal["text", "json"]
EXACT = 2.0**63  # integers from here on are parsed as floats and may lose digits
KINDS: Mapping[type[Any], str] = {str: "a string", list: "a list"}


def to_text(value: Any, path: str, values: Values = "text") -> str:
    """Return a value as text: numbers and booleans as JSON writes them, never as Python does.

    Args:
        value: The value.
        path: Its place in the row, for error messages.
        values: `text` refuses objects and lists, `json` writes them as JSON.

    Raises:
        InvalidRowError: If the value has another type, or is a number that has lost digits.
    """
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and abs(value) >= EXACT:
        raise InvalidRowError("wrong-type", f"{path} is a number too large to be exact; write it as a string")
    if isinstance(value, int | float):
        return str(value)
    if values == "json" and isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    hint = "; set `values: json` to train on it as JSON" if isinstance(value, list | dict) else ""
    raise InvalidRowError("wrong-type", f"{path} is {type_name(value)}, not a string, number or boolean{hint}")


def require_text(row: Mapping[str, Any], column: str, values: Values = "text") -> str:
    """Return the text in a column.

    Raises:
        InvalidRowError: If the column is missing, or its value is no text or is blank.
    """
    if column not in row:
        raise InvalidRowError("missing-value", missing_column(column, row))
    text = row[column]
    if type(text) is not str:
        text = to_text(text, f"`{column}`", values)
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
