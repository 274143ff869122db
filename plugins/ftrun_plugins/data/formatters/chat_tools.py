"""Validation of the tools that a conversation declares, and of the calls that its assistant makes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.column_messages import suggestion
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.json_text import parse_json


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


def parameters_of(tools: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the JSON Schemas of the parameters of checked tools, by name."""
    return {tool["function"]["name"]: tool["function"].get("parameters") for tool in tools}


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


def check_calls(calls: Any, path: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the calls of one message of the assistant, with their arguments as JSON strings. A call may lack its id.

    Raises:
        InvalidRowError: If a call is invalid.
    """
    if type(calls) is not list:
        raise InvalidRowError("wrong-type", f"{path} is {type_name(calls)}, not a list of calls")
    checked = [_check_call(call, f"{path}[{index}]", parameters) for index, call in enumerate(calls)]
    ids = [call["id"] for call in checked if "id" in call]
    if len(set(ids)) < len(ids):
        raise InvalidRowError("bad-tool-call", f"{path} has two calls with the same `id`")
    return checked


def _check_call(call: Any, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    if type(call) is not dict:
        raise InvalidRowError("wrong-type", f"{path} is {type_name(call)}, not an object")
    for key in call:
        if key not in ("id", "type", "function", "index"):  # streamed answers leave `index` behind
            raise InvalidRowError("unknown-key", f"{path} has the unknown key `{key[:40]}`")
    number = call.get("id")
    if number is not None and (type(number) is not str or not number):
        raise InvalidRowError("wrong-type", f"{path}.id is {type_name(number)}, not a string that says something")
    if call.get("type", "function") != "function":
        raise InvalidRowError("bad-tool-call", f"{path}.type is not `function`")
    if call.get("function") is None:
        raise InvalidRowError("missing-value", f"{path} has no `function`")
    function = check_function(call["function"], f"{path}.function", parameters)
    return {**({"id": number} if number else {}), "type": "function", "function": function}


def check_function(function: Any, path: str, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the name and the arguments of a called function, with the arguments as a JSON string.

    Raises:
        InvalidRowError: If they are invalid.
    """
    if type(function) is not dict:
        raise InvalidRowError("wrong-type", f"{path} is {type_name(function)}, not an object")
    name = _check_name(function, path)
    return {"name": name, "arguments": _encode_arguments(function, path, parameters.get(name))}


def assign_ids(messages: Sequence[dict[str, Any]], column: str) -> None:
    """Give ids to calls without an id, and to their answers in their order.

    The ids have nine letters and digits, because some templates accept no others.

    Raises:
        InvalidRowError: If an answer without an id has no open call.
    """
    waiting: deque[str] = deque()
    count = 0
    for index, message in enumerate(messages):
        for call in message.get("tool_calls", ()):
            count += 1
            call.setdefault("id", f"call{count:05}")
            waiting.append(call["id"])
        if message["role"] != "tool":
            continue
        if "tool_call_id" in message:
            if message["tool_call_id"] in waiting:
                waiting.remove(message["tool_call_id"])
        elif waiting:
            message["tool_call_id"] = waiting.popleft()
        else:
            what = f"{column}[{index}] is the answer of a tool, but no call is open"
            raise InvalidRowError("bad-tool-call", what)


def _check_name(function: dict[str, Any], path: str) -> str:
    name = function.get("name")
    if type(name) is not str or not name:
        raise InvalidRowError("missing-value", f"{path} has no `name`")
    return name


def _encode_arguments(function: dict[str, Any], path: str, schema: Any) -> str:
    """Return the arguments as a JSON string: OpenAI's format, which also fits into one column for all tools."""
    arguments = function.get("arguments")
    if type(arguments) is dict:
        return orjson.dumps(_drop_padding(arguments, schema)).decode()
    if type(arguments) is not str:
        raise InvalidRowError("wrong-type", f"{path}.arguments is {type_name(arguments)}, not a JSON string")
    value = parse_json(arguments, f"{path}.arguments")
    if type(value) is not dict:
        raise InvalidRowError("wrong-type", f"{path}.arguments is {type_name(value)} as JSON, not an object")
    return arguments


def _drop_padding(value: Any, schema: Any) -> Any:
    """Return the value without null keys that its schema lacks.

    Parquet and Arrow give all objects of a column the same keys, and fill those that an object lacks with null.
    """
    schema = schema if type(schema) is dict else {}
    if type(value) is dict:
        known = schema.get("properties")
        known = known if type(known) is dict else {}
        return {
            key: _drop_padding(item, known.get(key)) for key, item in value.items() if item is not None or key in known
        }
    if type(value) is list:
        return [_drop_padding(item, schema.get("items")) for item in value]
    return value
