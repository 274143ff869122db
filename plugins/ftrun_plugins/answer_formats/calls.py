"""Calls of tools in the texts of models, in the formats that the engine `transformers` serves.

tagged   <tool_call>{"name": …, "arguments": {…}}</tool_call>          (Hermes, Qwen)
bare     {"name": …, "parameters": {…}}; {…}                           (Llama)
listed   [TOOL_CALLS][{"name": …, "arguments": {…}}, …] or [TOOL_CALLS]NAME[ARGS]{…}    (Mistral)

Standard library only, because it runs in the environment of the engine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

OPEN, CLOSE = "<tool_call>", "</tool_call>"
LISTED = "[TOOL_CALLS]"
NAMED = re.compile(r"\s*([\w.-]+)\s*(?:\[CALL_ID\]\w+)?(?:\[ARGS\])?\s*(?=\{)")
BETWEEN = re.compile(r"[;\s]*")
DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Call:
    """Call of a tool. `arguments` is JSON, as in OpenAI's API."""

    name: str
    arguments: str


def parse_calls(call_format: str, text: str) -> list[Call] | None:
    """Return the calls in a text between the marks of a format, or None if the text is no list of calls."""
    try:
        return list(PARSERS[call_format](text)) or None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _parse_tagged(text: str) -> Iterator[Call]:
    yield _make_call(json.loads(text))


def _parse_bare(text: str) -> Iterator[Call]:
    position = 0
    while (position := _skip(text, position)) < len(text):
        value, position = DECODER.raw_decode(text, position)
        yield _make_call(value)


def _skip(text: str, position: int) -> int:
    between = BETWEEN.match(text, position)
    return between.end() if between else position


def _parse_listed(text: str) -> Iterator[Call]:
    for part in filter(str.strip, text.split(LISTED)):
        if part.lstrip().startswith("["):
            yield from map(_make_call, json.loads(part))
        elif named := NAMED.match(part):
            yield _make_call({"name": named[1], "arguments": json.loads(part[named.end() :])})
        else:
            raise ValueError(part)


def _make_call(value: Any) -> Call:
    name, arguments = value["name"], value["arguments" if "arguments" in value else "parameters"]
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise TypeError(value)
    return Call(name, json.dumps(arguments, ensure_ascii=False))


PARSERS = {"tagged": _parse_tagged, "bare": _parse_bare, "listed": _parse_listed}
