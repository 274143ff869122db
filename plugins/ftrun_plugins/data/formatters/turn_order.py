"""Checks of the order of roles: the assistant must speak last, and tool calls must be answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftrun_plugins.data.formatters.errors import InvalidRowError

SYSTEM = ("system", "developer")


def check_order(
    messages: Sequence[dict[str, Any]],
    column: str,
    has_ids: bool = True,
    allow_assistant_first: bool = False,
    roles: Sequence[str] | None = None,
) -> None:
    """Check that the roles are in an order that can be trained on.

    Args:
        messages: The conversation, with at least one message.
        column: Column of the conversation, for error messages.
        has_ids: True if answers of tools name their calls; otherwise answers are not matched to calls.
        allow_assistant_first: True if the assistant may speak before the user.
        roles: The roles of the messages, if the caller knows them.

    Raises:
        InvalidRowError: If the order is wrong.
    """
    if roles is None:
        roles = [message["role"] for message in messages]
    if "assistant" not in roles:
        what = f"`{column}` has no message with the role `assistant`, so that there is no answer to train on"
        raise InvalidRowError("turn-order", what)
    later = roles[1:]
    if "system" in later or "developer" in later:
        late = next(index for index, role in enumerate(roles) if index and role in SYSTEM)
        raise InvalidRowError(
            "turn-order", f"{column}[{late}] has the role `{roles[late]}`, which only the first message may have"
        )
    first = 1 if roles[0] in SYSTEM else 0
    if roles[first] != "user" and not (roles[first] == "assistant" and allow_assistant_first):
        hint = "; set `allow_assistant_first: true` if this is intended" if roles[first] == "assistant" else ""
        what = f"{column}[{first}] has the role `{roles[first]}`, but a conversation must begin with `user`{hint}"
        raise InvalidRowError("turn-order", what)
    if has_ids and ("tool" in roles or any("tool_calls" in message for message in messages)):
        _check_answers(messages, column)
    if roles[-1] != "assistant":
        what = f"{column}[{len(roles) - 1}] has the role `{roles[-1]}`, but a conversation must end with `assistant`"
        raise InvalidRowError("turn-order", what)


def add_system(
    system: str, messages: list[dict[str, Any]], column: str | None, messages_column: str
) -> list[dict[str, Any]]:
    """Return the messages with a system prompt from a column.

    Raises:
        InvalidRowError: If the conversation has another system prompt.
    """
    if messages[0]["role"] not in SYSTEM:
        return [{"role": "system", "content": system}, *messages]
    if messages[0]["content"].strip() == system.strip():
        return messages
    raise InvalidRowError("turn-order", f"there are two system prompts: `{column}` and {messages_column}[0]")


def _check_answers(messages: Sequence[dict[str, Any]], column: str) -> None:
    """Check that tool messages answer the preceding calls, each once, before the next message of another role."""
    open_calls: dict[str, None] = {}  # an ordered set
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                raise InvalidRowError(
                    "bad-tool-call",
                    f"{column}[{index}] answers the tool call `{message['tool_call_id']}`, which is not open",
                )
            del open_calls[message["tool_call_id"]]
        elif open_calls:
            raise InvalidRowError(
                "bad-tool-call",
                f"{column}[{index}] comes before the answer to the tool call `{next(iter(open_calls))}`",
            )
        else:
            open_calls = dict.fromkeys(call["id"] for call in message.get("tool_calls", ()))
