"""Validation and normalization of one message of a conversation."""

from __future__ import annotations

from typing import Any

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.chat_tools import check_calls
from ftrun_plugins.data.formatters.column_messages import list_names, suggestion
from ftrun_plugins.data.formatters.errors import InvalidRowError

ROLES = ("system", "developer", "user", "assistant", "tool")
PLAIN_ROLES = frozenset(ROLES) - {"tool"}
KNOWN_KEYS = {role: {"role", "content", "name"} for role in ROLES}
KNOWN_KEYS["assistant"] |= {"tool_calls", "weight"}
KNOWN_KEYS["tool"] |= {"tool_call_id"}


def check_message(message: Any, index: int, column: str) -> dict[str, Any]:
    """Return the message in the form for the chat template.

    Most messages have only a role and a string. They are returned unchanged, without the slower checks.

    Raises:
        InvalidRowError: If the message is invalid.
    """
    return message if _is_plain(message) else _rebuild(message, f"{column}[{index}]")


def _is_plain(message: Any) -> bool:
    if type(message) is not dict or len(message) != 2:
        return False
    role, content = message.get("role"), message.get("content")
    if type(role) is not str or type(content) is not str or role not in PLAIN_ROLES:
        return False
    return role != "assistant" or not (content == "" or content.isspace())


def _rebuild(message: Any, path: str) -> dict[str, Any]:
    if type(message) is not dict:
        raise InvalidRowError("wrong-type", f"{path} is {type_name(message)}, not an object with role and content")
    role = _check_role(message, path)
    # Answers of the API have further keys, such as `refusal` and `audio`, which are null or empty if unused.
    values = {key: value for key, value in message.items() if value is not None and value != []}
    for key in values:
        if key not in KNOWN_KEYS[role]:
            raise InvalidRowError(
                "unknown-key", f"{path} has the unknown key `{key[:40]}`{suggestion(key, KNOWN_KEYS[role])}"
            )
    result = {"role": role, "content": _join_content(message, path)}
    if "name" in values:
        result["name"] = _check_string(values, "name", path)
    if role == "assistant":
        _add_calls(result, values, path)
    if role == "tool":
        if "tool_call_id" not in values:
            raise InvalidRowError("missing-value", f"{path} has the role `tool`, but no `tool_call_id`")
        result["tool_call_id"] = _check_string(values, "tool_call_id", path)
    return result


def _check_role(message: dict[str, Any], path: str) -> str:
    if "role" not in message:
        raise InvalidRowError("missing-value", f"{path} has no `role`; it has {list_names(message)}")
    role = message["role"]
    if type(role) is not str:
        raise InvalidRowError("wrong-type", f"{path}.role is {type_name(role)}, not a string")
    if role not in ROLES:
        known = ", ".join(ROLES)
        raise InvalidRowError(
            "unknown-role", f"{path} has the unknown role `{role[:40]}`, not one of {known}{suggestion(role, ROLES)}"
        )
    return role


def _join_content(message: dict[str, Any], path: str) -> str:
    """Return the content as a string. Joins text parts. Null is allowed if the message has tool calls."""
    content = message.get("content")
    if type(content) is str:
        return content
    if content is None and message.get("tool_calls"):
        return ""
    if "content" not in message:
        raise InvalidRowError("missing-value", f"{path} has no `content`; it has {list_names(message)}")
    if type(content) is not list:
        raise InvalidRowError("wrong-type", f"{path}.content is {type_name(content)}, not a string or a list of parts")
    return "".join(_check_part(part, f"{path}.content[{index}]") for index, part in enumerate(content))


def _check_part(part: Any, path: str) -> str:
    kind = part.get("type") if type(part) is dict else None
    if type(kind) is str and kind != "text":
        raise InvalidRowError(
            "unsupported-content", f"{path} has the type `{kind[:40]}`; only parts of the type `text` can be trained on"
        )
    if kind is None or type(part.get("text")) is not str or len(part) != 2:
        raise InvalidRowError(
            "unsupported-content", f'{path} must be {{"type": "text", "text": "…"}} without other keys'
        )
    return str(part["text"])


def _add_calls(result: dict[str, Any], values: dict[str, Any], path: str) -> None:
    if values.get("weight", 1) != 1:  # training does not use weights
        raise InvalidRowError(
            "unsupported-content",
            f"{path} has a `weight` other than 1, but all assistant messages are trained on",
        )
    if "tool_calls" in values:
        result["tool_calls"] = check_calls(values["tool_calls"], f"{path}.tool_calls")
    elif result["content"] == "" or result["content"].isspace():
        raise InvalidRowError("empty-value", f"{path}: the assistant message is empty")


def _check_string(values: dict[str, Any], key: str, path: str) -> str:
    value = values[key]
    if type(value) is not str:
        raise InvalidRowError("wrong-type", f"{path}.{key} is {type_name(value)}, not a string")
    if not value:
        raise InvalidRowError("empty-value", f"{path}.{key} is empty")
    return value
