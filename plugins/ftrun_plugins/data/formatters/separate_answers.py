"""Conversations whose last answer is in another column, as in rows of preferences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.column_messages import missing_column
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.json_text import parse_list

READ_KEYS = ("messages", "tools", "functions")
PARALLEL = "parallel_tool_calls"  # an option of the request, which trains nothing


def open_request(request: Mapping[str, Any], column: str, ignored: dict[str, Any]) -> Any:
    """Return the messages of an object that is like a request to a server. Add an option of it to `ignored`.

    Raises:
        InvalidRowError: If it has keys that are not read.
    """
    for key, value in request.items():
        if key == PARALLEL:
            ignored[f"{column}.{key}"] = value
        elif key not in READ_KEYS:
            names = ", ".join(READ_KEYS)
            raise InvalidRowError("unsupported-content", f"`{column}` has the key `{key}`; only {names} are read")
    return request["messages"]


def append_answer(messages: Any, values: Mapping[str, Any], column: str, answer_column: str) -> list[Any]:
    """Return the messages with those of the answer: a text, or a list of messages.

    Raises:
        InvalidRowError: If the answer is missing or empty, or one of both is no list of messages.
    """
    messages, answer = parse_list(messages, f"`{column}`"), parse_list(values.get(answer_column), f"`{answer_column}`")
    if answer is None and answer_column not in values:
        raise InvalidRowError("missing-value", missing_column(answer_column, values))
    if type(answer) is str:
        answer = [{"role": "assistant", "content": answer}]
    for name, turns in ((column, messages), (answer_column, answer)):
        if type(turns) is not list:
            raise InvalidRowError("wrong-type", f"`{name}` is {type_name(turns)}, not a list of messages")
        if not turns:
            raise InvalidRowError("empty-value", f"`{name}` is empty")
    return [*messages, *answer]
