"""Calls of tools in the answers of models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["ToolCall", "add_calls", "read_calls"]


@dataclass(frozen=True)
class ToolCall:
    """Call of a tool."""

    name: str
    arguments: Mapping[str, Any]

    def __str__(self) -> str:
        call = {"name": self.name, "arguments": self.arguments}
        return json.dumps({"tool_call": call}, ensure_ascii=False, sort_keys=True)

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "arguments": dict(self.arguments)}


def read_calls(message: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """Return the calls in a message of OpenAI's shape, in which arguments are JSON texts."""
    functions = (call["function"] for call in message.get("tool_calls") or ())
    return tuple(ToolCall(function["name"], json.loads(function["arguments"])) for function in functions)


def add_calls(text: str, calls: Iterable[ToolCall]) -> str:
    """Return the text of an answer with its calls, one per line. It does not depend on the format of the model."""
    return "\n".join([*([text] if text.strip() else []), *map(str, calls)]) if (calls := tuple(calls)) else text
