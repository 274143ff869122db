"""Conversion of the tools and calls of ShareGPT files, which are JSON strings, into OpenAI's format."""

from __future__ import annotations

from typing import Any

import orjson

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.json_text import parse_json


def tools_of(value_or_json: Any, column: str) -> list[Any]:
    """Return the tools of a row, from a list or from JSON. A bare function becomes a tool.

    Raises:
        InvalidRowError: If the value is not a list of tools.
    """
    tools = parse_json(value_or_json, f"`{column}`") if type(value_or_json) is str else value_or_json
    if type(tools) is not list:
        raise InvalidRowError("wrong-type", f"`{column}` is {type_name(tools)}, not a list of tools")
    return [_wrap_function(tool) for tool in tools]


def calls_of(text: str, path: str) -> list[dict[str, Any]]:
    """Return the calls of one turn, without ids. The text is `{"name": …, "arguments": …}`, or a list of these.

    Raises:
        InvalidRowError: If the text is not a call or a list of calls.
    """
    value = parse_json(text, path)
    calls = value if type(value) is list else [value]
    if not calls:
        raise InvalidRowError("bad-tool-call", f"{path} is an empty list of calls")
    return [_convert_call(call, path if value is call else f"{path}[{index}]") for index, call in enumerate(calls)]


def _wrap_function(tool: Any) -> Any:
    is_bare = type(tool) is dict and "name" in tool and "function" not in tool
    return {"type": "function", "function": tool} if is_bare else tool


def _convert_call(call: Any, path: str) -> dict[str, Any]:
    if type(call) is not dict or type(call.get("name")) is not str or not call["name"]:
        what = "an object without `name`" if type(call) is dict else type_name(call)
        raise InvalidRowError("wrong-type", f'{path} is {what}, not a call: {{"name": "…", "arguments": {{…}}}}')
    arguments = call.get("arguments", {})
    value = parse_json(arguments, f"{path}.arguments") if type(arguments) is str else arguments
    if type(value) is not dict:
        raise InvalidRowError("wrong-type", f"{path}.arguments is {type_name(value)}, not an object")
    encoded = arguments if type(arguments) is str else orjson.dumps(value).decode()
    return {"type": "function", "function": {"name": call["name"], "arguments": encoded}}
