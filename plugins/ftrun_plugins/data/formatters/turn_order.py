"""Checks who speaks when: a conversation that ends with the assistant, and tool calls that get their answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftrun_plugins.data.formatters.errors import InvalidRowError

SYSTEM = ("system", "developer")


def check_order(messages: Sequence[dict[str, Any]], column: str, has_ids: bool = True) -> None:
    """Raises `InvalidRowError` where the order of roles makes no conversation to learn from.

    Args:
        messages: The conversation, one message at least.
        column: What messages about it call it.
        has_ids: Whether answers of tools name their calls; else nobody looks whether they belong together.
    """
    roles = [message["role"] for message in messages]
    if "assistant" not in roles:
        raise InvalidRowError("turn-order", f"`{column}` has no assistant message: there is nothing to learn")
    if "system" in roles[1:] or "developer" in roles[1:]:
        late = next(index for index, role in enumerate(roles) if index and role in SYSTEM)
        raise InvalidRowError("turn-order", f"{column}[{late}] is a {roles[late]} message, which may only come first")
    first = 1 if roles[0] in SYSTEM else 0
    if roles[first] != "user":
        raise InvalidRowError(
            "turn-order", f"{column}[{first}] is of the role {roles[first]}: a conversation begins with the user"
        )
    if has_ids and ("tool" in roles or any("tool_calls" in message for message in messages)):
        _check_answers(messages, column)
    if roles[-1] != "assistant":
        last = f"{column}[{len(roles) - 1}], the last,"
        raise InvalidRowError("turn-order", f"{last} is of the role {roles[-1]}: there is nothing to learn after it")


def _check_answers(messages: Sequence[dict[str, Any]], column: str) -> None:
    """Tool messages answer the calls just made, each once, before anyone else speaks."""
    waiting: dict[str, None] = {}  # a set that keeps the order
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                raise InvalidRowError(
                    "bad-tool-call",
                    f"{column}[{index}] answers the tool call `{message['tool_call_id']}`, which is not open",
                )
            del waiting[message["tool_call_id"]]
        elif waiting:
            raise InvalidRowError(
                "bad-tool-call", f"{column}[{index}] comes before the answer to the tool call `{next(iter(waiting))}`"
            )
        else:
            waiting = dict.fromkeys(call["id"] for call in message.get("tool_calls", ()))
