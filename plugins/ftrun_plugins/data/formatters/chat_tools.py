"""Checks the tools that a conversation declares and the calls that its assistant makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.column_messages import suggestion
from ftrun_plugins.data.formatters.errors import InvalidRowError


def check_tools(tools: Any, column: str) -> None:
    """Raises `InvalidRowError` unless `tools` is a list of functions in OpenAI's shape."""
    if type(tools) is not list:
        raise InvalidRowError("wrong-type", f"`{column}` is {type_name(tools)}, not a list of tools")
    for index, tool in enumerate(tools):
        where = f"{column}[{index}]"
        if type(tool) is not dict or tool.get("type") != "function" or type(tool.get("function")) is not dict:
            raise InvalidRowError("bad-tool-call", f'{where} must be {{"type": "function", "function": {{…}}}}')
        _name(tool["function"], f"{where}.function")


def check_declared(messages: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]], column: str) -> None:
    """Raises `InvalidRowError` where the assistant calls a function that the row does not declare."""
    declared = {tool["function"]["name"] for tool in tools}
    for index, message in enumerate(messages):
        for number, call in enumerate(message.get("tool_calls", ())):
            name = call["function"]["name"]
            if name not in declared:
                where = f"{column}[{index}].tool_calls[{number}]"
                raise InvalidRowError(
                    "bad-tool-call", f"{where} calls `{name}`, which the row's tools lack{suggestion(name, declared)}"
                )


def checked_calls(calls: Any, where: str) -> list[dict[str, Any]]:
    """The calls of one assistant message, arguments as JSON text. Raises `InvalidRowError`."""
    if type(calls) is not list:
        raise InvalidRowError("wrong-type", f"{where} is {type_name(calls)}, not a list of calls")
    found = [_checked_call(call, f"{where}[{index}]") for index, call in enumerate(calls)]
    if len({call["id"] for call in found}) < len(found):
        raise InvalidRowError("bad-tool-call", f"{where} has two calls with one id")
    return found


def _checked_call(call: Any, where: str) -> dict[str, Any]:
    if type(call) is not dict:
        raise InvalidRowError("wrong-type", f"{where} is {type_name(call)}, not an object")
    for key in call:
        if key not in ("id", "type", "function", "index"):  # `index` is left over from streamed answers
            raise InvalidRowError("unknown-key", f"{where} has the unknown key `{key[:40]}`")
    if type(call.get("id")) is not str or not call["id"]:
        raise InvalidRowError("missing-value", f"{where} has no `id`")
    if call.get("type", "function") != "function":
        raise InvalidRowError("bad-tool-call", f"{where}.type is not `function`")
    function = call.get("function")
    if type(function) is not dict:
        raise InvalidRowError("missing-value", f"{where} has no `function`")
    name, arguments = _name(function, f"{where}.function"), _arguments(function, f"{where}.function")
    return {"id": call["id"], "type": "function", "function": {"name": name, "arguments": arguments}}


def _name(function: dict[str, Any], where: str) -> str:
    name = function.get("name")
    if type(name) is not str or not name:
        raise InvalidRowError("missing-value", f"{where} has no `name`")
    return name


def _arguments(function: dict[str, Any], where: str) -> str:
    """Arguments as JSON text: OpenAI's shape, and the one that a table with many tools can hold."""
    arguments = function.get("arguments")
    if type(arguments) is dict:
        return orjson.dumps(arguments).decode()
    if type(arguments) is not str:
        raise InvalidRowError("wrong-type", f"{where}.arguments is {type_name(arguments)}, not JSON in a text")
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError as error:
        raise InvalidRowError(
            "invalid-json", f"{where}.arguments is not JSON: {error.msg} at character {error.pos + 1}"
        ) from error
    if type(value) is not dict:
        raise InvalidRowError("wrong-type", f"{where}.arguments is {type_name(value)} in a text, not an object")
    return arguments
