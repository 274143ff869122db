"""Conversion of the tools and calls of ShareGPT files, which are JSON strings, into OpenAI's format."""

from __future__ import annotations

from typing import Any

import orjson

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.json_text import parse_json

# Keys of a function, in the order in which vLLM writes those of a request. Templates render them in their order.
FIRST_KEYS = ("name", "description", "parameters")
STRICT = "strict"  # a setting of OpenAI's service, which models do not see


def tools_of(value_or_json: Any, column: str, ignored: dict[str, Any]) -> list[Any]:
    """Return the tools of a row, from a list or from JSON. A bare function becomes a tool.

    The keys of functions get the order that servers give them. `strict` is left out and added to `ignored`.

    Raises:
        InvalidRowError: If the value is not a list of tools.
    """
    tools = parse_json(value_or_json, f"`{column}`") if type(value_or_json) is str else value_or_json
    if type(tools) is not list:
        raise InvalidRowError("wrong-type", f"`{column}` is {type_name(tools)}, not a list of tools")
    return [_order_function(_wrap_function(tool), column, ignored) for tool in tools]


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


def _order_function(tool: Any, column: str, ignored: dict[str, Any]) -> Any:
    if type(tool) is not dict or type(tool.get("function")) is not dict:
        return tool
    function = tool["function"]
    if STRICT in function:
        ignored.setdefault(f"{column}[].function.{STRICT}", function[STRICT])
    ordered = {key: function[key] for key in FIRST_KEYS if key in function}
    ordered |= {key: value for key, value in function.items() if key not in (*FIRST_KEYS, STRICT)}
    return {**tool, "function": ordered}


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
