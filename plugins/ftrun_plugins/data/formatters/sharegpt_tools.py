"""Tools and calls as ShareGPT files write them, JSON in a text, in OpenAI's shape."""

from __future__ import annotations

from typing import Any

import orjson

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.errors import InvalidRowError


def tools_of(given: Any, column: str) -> list[Any]:
    """The tools of a row: a list, or one in a text; a bare function becomes a tool. Raises `InvalidRowError`."""
    tools = _parsed(given, f"`{column}`") if type(given) is str else given
    if type(tools) is not list:
        raise InvalidRowError("wrong-type", f"`{column}` is {type_name(tools)}, not a list of tools")
    return [_tool(tool) for tool in tools]


def calls_of(text: str, where: str) -> list[dict[str, Any]]:
    """The calls of one turn, `{"name": …, "arguments": …}` or a list of such, without ids. Raises `InvalidRowError`."""
    value = _parsed(text, where)
    calls = value if type(value) is list else [value]
    if not calls:
        raise InvalidRowError("bad-tool-call", f"{where} is a list without a call")
    return [_call(call, where if value is call else f"{where}[{index}]") for index, call in enumerate(calls)]


def _tool(tool: Any) -> Any:
    is_bare = type(tool) is dict and "name" in tool and "function" not in tool
    return {"type": "function", "function": tool} if is_bare else tool


def _call(call: Any, where: str) -> dict[str, Any]:
    if type(call) is not dict or type(call.get("name")) is not str or not call["name"]:
        what = "an object without `name`" if type(call) is dict else type_name(call)
        raise InvalidRowError("wrong-type", f'{where} is {what}, not a call: {{"name": "…", "arguments": {{…}}}}')
    arguments = call.get("arguments", {})
    value = _parsed(arguments, f"{where}.arguments") if type(arguments) is str else arguments
    if type(value) is not dict:
        raise InvalidRowError("wrong-type", f"{where}.arguments is {type_name(value)}, not an object")
    written = arguments if type(arguments) is str else orjson.dumps(value).decode()
    return {"type": "function", "function": {"name": call["name"], "arguments": written}}


def _parsed(text: str, where: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidRowError(
            "invalid-json", f"{where} is not JSON: {error.msg} at character {error.pos + 1}"
        ) from error
