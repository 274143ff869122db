"""JSON in the texts of a row: calls, arguments, tools and whole conversations."""

from __future__ import annotations

from typing import Any, TypeGuard

import orjson

from ftrun_plugins.data.formatters.errors import InvalidRowError


def parse_json(text: str, path: str) -> Any:
    """Return the value that a text holds.

    Raises:
        InvalidRowError: If the text is not JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidRowError(
            "invalid-json", f"{path} is not JSON: {error.msg} at character {error.pos + 1}"
        ) from error


def parse_list(value: Any, path: str) -> Any:
    """Return the list that a text holds as JSON; return any other value unchanged.

    Raises:
        InvalidRowError: If a text begins like a list and is not JSON.
    """
    return parse_json(value, path) if type(value) is str and value.lstrip()[:1] == "[" else value


def looks_like_conversation(value: Any) -> bool:
    """Return True for a list of messages with `role` or turns with `from`, also as JSON text."""
    try:
        turns = parse_list(value, "")
    except InvalidRowError:
        return False
    first = turns[0] if type(turns) is list and turns else None
    return type(first) is dict and (("role" in first and len(first) > 1) or ("from" in first and "value" in first))


def is_request(value: Any) -> TypeGuard[dict[str, Any]]:
    """Return True for an object that holds messages, as a request to a server does."""
    return type(value) is dict and "messages" in value
