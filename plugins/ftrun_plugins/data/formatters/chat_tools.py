"""Validation of the tools that a conversation declares, and of the calls that its assistant makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.column_messages import suggestion
from ftrun_plugins.data.formatters.errors import InvalidRowError


def check_tools(tools: Any, column: str) -> None:
    """Check that `tools` is a list of functions in OpenAI's format.

    Raises:
        InvalidRowError: If it is not.
    """
    if type(tools) is not list:
        raise InvalidRowError("wrong-type", f"`{column}` is {type_name(tools)}, not a list of tools")
    for index, tool in enumerate(tools):
        path = f"{column}[{index}]"
        if type(tool) is not dict or tool.get("type") != "function" or type(tool.get("function")) is not dict:
            raise InvalidRowError("bad-tool-call", f'{path} must be {{"type": "function", "function": {{…}}}}')
        _check_name(tool["function"], f"{path}.function")


def check_declared(messages: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]], column: str) -> None:
    """Check that the assistant calls only functions that the row declares.

    Raises:
        InvalidRowError: If a call names another function.
    """
    declared = {tool["function"]["name"] for tool in tools}
    for index, message in enumerate(messages):
        for number, call in enumerate(message.get("tool_calls", ())):
            name = call["function"]["name"]
            if name not in declared:
                path = f"{column}[{index}].tool_calls[{number}]"
                raise InvalidRowError(
                    "bad-tool-call",
                    f"{path} calls `{name}`, which is not in the row's tools{suggestion(name, declared)}",
                )


def check_calls(calls: Any, path: str) -> list[dict[str, Any]]:
    """Return the calls of one message of the assistant, with their arguments as JSON strings.

    Raises:
        InvalidRowError: If a call is invalid.
    """
    if type(calls) is not list:
        raise InvalidRowError("wrong-type", f"{path} is {type_name(calls)}, not a list of calls")
    checked = [_check_call(call, f"{path}[{index}]") for index, call in enumerate(calls)]
    if len({call["id"] for call in checked}) < len(checked):
        raise InvalidRowError("bad-tool-call", f"{path} has two calls with the same `id`")
    return checked


def _check_call(call: Any, path: str) -> dict[str, Any]:
    if type(call) is not dict:
        raise InvalidRowError("wrong-type", f"{path} is {type_name(call)}, not an object")
    for key in call:
        if key not in ("id", "type", "function", "index"):  # streamed answers leave `index` behind
            raise InvalidRowError("unknown-key", f"{path} has the unknown key `{key[:40]}`")
    if type(call.get("id")) is not str or not call["id"]:
        raise InvalidRowError("missing-value", f"{path} has no `id`")
    if call.get("type", "function") != "function":
        raise InvalidRowError("bad-tool-call", f"{path}.type is not `function`")
    function = call.get("function")
    if type(function) is not dict:
        raise InvalidRowError("missing-value", f"{path} has no `function`")
    name, arguments = _check_name(function, f"{path}.function"), _encode_arguments(function, f"{path}.function")
    return {"id": call["id"], "type": "function", "function": {"name": name, "arguments": arguments}}


def _check_name(function: dict[str, Any], path: str) -> str:
    name = function.get("name")
    if type(name) is not str or not name:
        raise InvalidRowError("missing-value", f"{path} has no `name`")
    return name


def _encode_arguments(function: dict[str, Any], path: str) -> str:
    """Return the arguments as a JSON string: OpenAI's format, which also fits into one column for all tools."""
    arguments = function.get("arguments")
    if type(arguments) is dict:
        return orjson.dumps(arguments).decode()
    if type(arguments) is not str:
        raise InvalidRowError("wrong-type", f"{path}.arguments is {type_name(arguments)}, not a JSON string")
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError as error:
        raise InvalidRowError(
            "invalid-json", f"{path}.arguments is not JSON: {error.msg} at character {error.pos + 1}"
        ) from error
    if type(value) is not dict:
        raise InvalidRowError("wrong-type", f"{path}.arguments is {type_name(value)} as JSON, not an object")
    return arguments
