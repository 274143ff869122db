"""Messages of requests, as vLLM gives them to a chat template. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TEXT_PARTS = ("text", "input_text", "output_text", "refusal")
KEPT = ("name", "tool_call_id")


def read_message(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message of OpenAI's API for a chat template: content as text, arguments of calls as objects.

    Raises:
        ValueError: If the content has a part that is no text, or if the arguments of a call are not JSON.
    """
    read: dict[str, Any] = {"role": message["role"], "content": _read_content(message.get("content"))}
    read.update((key, message[key]) for key in KEPT if message.get(key) is not None)
    if thoughts := message.get("reasoning") or message.get("reasoning_content"):
        read["reasoning_content"] = thoughts
    if calls := message.get("tool_calls"):
        read["tool_calls"] = [_read_call(call) for call in calls]
    return read


def _read_content(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(_read_part(part) for part in content)
    return content or ""


def _read_part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if part.get("type") not in TEXT_PARTS:
        raise ValueError(f"a part of the type `{part.get('type')}` is no text")
    return str(part["refusal" if part["type"] == "refusal" else "text"])


def _read_call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call["function"]
    arguments = function.get("arguments") or {}
    parsed = json.loads(arguments) if isinstance(arguments, str) else arguments
    return {**call, "function": {**function, "arguments": parsed}}
