"""Checks one message of a conversation and brings it into one shape."""

from __future__ import annotations

from typing import Any

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.chat_tools import checked_calls
from ftrun_plugins.data.formatters.column_messages import list_names, suggestion
from ftrun_plugins.data.formatters.errors import InvalidRowError

ROLES = ("system", "developer", "user", "assistant", "tool")
PLAIN_ROLES = frozenset(ROLES) - {"tool"}
KNOWN_KEYS = {role: {"role", "content", "name"} for role in ROLES}
KNOWN_KEYS["assistant"] |= {"tool_calls", "weight"}
KNOWN_KEYS["tool"] |= {"tool_call_id"}


def check_message(message: Any, index: int, column: str) -> dict[str, Any]:
    """The message as the chat template gets it. Raises `InvalidRowError`.

    Most messages are a role and a text, and come back as they are; the rest takes the slower road.
    """
    return message if _is_plain(message) else _rebuilt(message, f"{column}[{index}]")


def _is_plain(message: Any) -> bool:
    if type(message) is not dict or len(message) != 2:
        return False
    role, content = message.get("role"), message.get("content")
    if type(role) is not str or type(content) is not str or role not in PLAIN_ROLES:
        return False
    return role != "assistant" or not (content == "" or content.isspace())


def _rebuilt(message: Any, where: str) -> dict[str, Any]:
    if type(message) is not dict:
        raise InvalidRowError("wrong-type", f"{where} is {type_name(message)}, not an object with role and content")
    role = _role(message, where)
    # What the API's answers carry besides, such as `refusal` and `audio`, is null or empty where it says nothing.
    given = {key: value for key, value in message.items() if value is not None and value != []}
    for key in given:
        if key not in KNOWN_KEYS[role]:
            raise InvalidRowError(
                "unknown-key", f"{where} has the unknown key `{key[:40]}`{suggestion(key, KNOWN_KEYS[role])}"
            )
    found = {"role": role, "content": _content(message, where)}
    if "name" in given:
        found["name"] = _text(given, "name", where)
    if role == "assistant":
        _add_calls(found, given, where)
    if role == "tool":
        if "tool_call_id" not in given:
            raise InvalidRowError("missing-value", f"{where} is a tool's answer without `tool_call_id`")
        found["tool_call_id"] = _text(given, "tool_call_id", where)
    return found


def _role(message: dict[str, Any], where: str) -> str:
    if "role" not in message:
        raise InvalidRowError("missing-value", f"{where} has no `role`; it has {list_names(message)}")
    role = message["role"]
    if type(role) is not str:
        raise InvalidRowError("wrong-type", f"{where}.role is {type_name(role)}, not a text")
    if role not in ROLES:
        known = ", ".join(ROLES)
        raise InvalidRowError(
            "unknown-role", f"{where} has the unknown role `{role[:40]}`, not one of {known}{suggestion(role, ROLES)}"
        )
    return role


def _content(message: dict[str, Any], where: str) -> str:
    """The text; parts of text are joined, and null stands for no text where there are tool calls."""
    content = message.get("content")
    if type(content) is str:
        return content
    if content is None and message.get("tool_calls"):
        return ""
    if "content" not in message:
        raise InvalidRowError("missing-value", f"{where} has no `content`; it has {list_names(message)}")
    if type(content) is not list:
        raise InvalidRowError("wrong-type", f"{where}.content is {type_name(content)}, not a text or a list of parts")
    return "".join(_part(part, f"{where}.content[{index}]") for index, part in enumerate(content))


def _part(part: Any, where: str) -> str:
    kind = part.get("type") if type(part) is dict else None
    if type(kind) is str and kind != "text":
        raise InvalidRowError("unsupported-content", f"{where}: `{kind[:40]}` parts cannot be trained on, only text")
    if kind is None or type(part.get("text")) is not str or len(part) != 2:
        raise InvalidRowError(
            "unsupported-content", f'{where} must be {{"type": "text", "text": "…"}} and nothing else'
        )
    return str(part["text"])


def _add_calls(found: dict[str, Any], given: dict[str, Any], where: str) -> None:
    if given.get("weight", 1) != 1:  # 1 is what every assistant message has; another would be lost without a word
        raise InvalidRowError(
            "unsupported-content", f"{where} has a weight other than 1: assistant messages are all trained on"
        )
    if "tool_calls" in given:
        found["tool_calls"] = checked_calls(given["tool_calls"], f"{where}.tool_calls")
    elif found["content"] == "" or found["content"].isspace():
        raise InvalidRowError("empty-value", f"{where}: the assistant says nothing")


def _text(given: dict[str, Any], key: str, where: str) -> str:
    value = given[key]
    if type(value) is not str:
        raise InvalidRowError("wrong-type", f"{where}.{key} is {type_name(value)}, not a text")
    if not value:
        raise InvalidRowError("empty-value", f"{where}.{key} is empty")
    return value
