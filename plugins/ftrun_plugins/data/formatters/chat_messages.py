"""Validation and normalization of one message of a conversation in OpenAI's format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.chat_tools import check_calls, check_function
from ftrun_plugins.data.formatters.column_messages import list_names, suggestion
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.row_access import Values, to_text
from ftrun_plugins.data.formatters.training_marks import MARK_KEYS, read_mark

ROLES = ("system", "developer", "user", "assistant", "tool")
PLAIN_ROLES = frozenset(ROLES) - {"tool"}
REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")
REASONING_PARTS = ("thinking", "reasoning")
KNOWN_KEYS = {role: {"role", "content", "name"} for role in ROLES}
KNOWN_KEYS["assistant"] |= {"tool_calls", "function_call", *MARK_KEYS, *REASONING_KEYS}
KNOWN_KEYS["tool"] |= {"tool_call_id"}
MEDIA_KEYS = {"audio", "audios", "image", "images", "video", "videos"}
MEANINGFUL_KEYS = MEDIA_KEYS | KNOWN_KEYS["assistant"] | KNOWN_KEYS["tool"] | {"refusal"}


@dataclass
class MessageReader:
    """Reader of the messages of one conversation.

    Args:
        column: Column of the conversation, for error messages.
        parameters: JSON Schemas of the parameters of the row's tools, by the name of the tool.
        values: `json` accepts objects and lists as contents.
        ignored: Keys that carry nothing to train on, with their first values, by names such as `messages[].id`.
    """

    column: str
    parameters: Mapping[str, Any]
    values: Values = "text"
    ignored: dict[str, Any] = field(default_factory=dict)

    def read(self, message: Any, index: int) -> dict[str, Any]:
        """Return the message in the form for the chat template.

        Raises:
            InvalidRowError: If the message is invalid.
        """
        return message if plain_roles((message,)) else self._rebuild(message, f"{self.column}[{index}]")

    def _rebuild(self, message: Any, path: str) -> dict[str, Any]:
        if type(message) is not dict:
            raise InvalidRowError("wrong-type", f"{path} is {type_name(message)}, not an object with role and content")
        role = _check_role(message, path)
        # Answers of the API have further keys, such as `refusal` and `audio`, which are null or empty if unused.
        values = {key: value for key, value in message.items() if value is not None and value != []}
        self._ignore_others(values, role, path)
        content, thoughts = self._join_content(message, path)
        result: dict[str, Any] = {"role": role, "content": content}
        if "name" in values:
            result["name"] = _check_string(values, "name", path)
        if role == "assistant":
            self._add_answer(result, values, thoughts, path)
        elif thoughts:
            raise InvalidRowError("unsupported-content", f"{path} has thoughts, but its role is `{role}`")
        if role == "tool" and "tool_call_id" in values:
            result["tool_call_id"] = _check_string(values, "tool_call_id", path)
        return result

    def _ignore_others(self, values: dict[str, Any], role: str, path: str) -> None:
        """Record keys that no message needs. A key like a known one is an error, because it is probably misspelt."""
        for key in values.keys() - KNOWN_KEYS[role]:
            if key in MEANINGFUL_KEYS:
                what = f"{path} has the key `{key}`, which cannot be trained on in a message of the role `{role}`"
                raise InvalidRowError("unsupported-content", what)
            if close := suggestion(key, KNOWN_KEYS[role]):
                raise InvalidRowError("unknown-key", f"{path} has the unknown key `{key[:40]}`{close}")
            self.ignored.setdefault(f"{self.column}[].{key}", values[key])

    def _join_content(self, message: dict[str, Any], path: str) -> tuple[str, str]:
        """Return the content and the thoughts among its parts. Null is allowed if the message has tool calls."""
        content = message.get("content")
        if type(content) is str:
            return content, ""
        if content is None and (message.get("tool_calls") or message.get("function_call")):
            return "", ""
        if "content" not in message:
            raise InvalidRowError("missing-value", f"{path} has no `content`; it has {list_names(message)}")
        if type(content) is list and (self.values == "text" or all(map(_is_part, content))):
            parts = [_read_part(part, f"{path}.content[{index}]") for index, part in enumerate(content)]
            return tuple("".join(text for text, thought in parts if thought is kind) for kind in (False, True))  # type: ignore[return-value]
        return to_text(content, f"{path}.content", self.values), ""

    def _add_answer(self, result: dict[str, Any], values: dict[str, Any], thoughts: str, path: str) -> None:
        for key in REASONING_KEYS:
            if key in values and values[key] != "":
                thoughts += _check_string(values, key, path)
        if thoughts:
            result["reasoning_content"] = thoughts
        mark = read_mark(values, path)
        if mark is not None:
            result["train"] = mark
        if "tool_calls" in values:
            result["tool_calls"] = check_calls(values["tool_calls"], f"{path}.tool_calls", self.parameters)
        elif "function_call" in values:
            function = check_function(values["function_call"], f"{path}.function_call", self.parameters)
            result["tool_calls"] = [{"type": "function", "function": function}]
        elif result["content"] == "" or result["content"].isspace():
            raise InvalidRowError("empty-value", f"{path}: the assistant message is empty")


def plain_roles(messages: Sequence[Any]) -> list[str] | None:
    """Return the roles of messages that have only a role and a text that says something, or None for others."""
    roles = []
    for message in messages:
        if type(message) is not dict or len(message) != 2:
            return None
        role, content = message.get("role"), message.get("content")
        if type(role) is not str or type(content) is not str or role not in PLAIN_ROLES:
            return None
        if role == "assistant" and (content == "" or content.isspace()):
            return None
        roles.append(role)
    return roles


def _is_part(value: Any) -> bool:
    return type(value) is dict and "type" in value


def _check_role(message: dict[str, Any], path: str) -> str:
    if "role" not in message:
        raise InvalidRowError("missing-value", f"{path} has no `role`; it has {list_names(message)}")
    role = message["role"]
    if type(role) is not str:
        raise InvalidRowError("wrong-type", f"{path}.role is {type_name(role)}, not a string")
    if role == "function":  # of older exports
        return "tool"
    if role not in ROLES:
        known = ", ".join(ROLES)
        raise InvalidRowError(
            "unknown-role", f"{path} has the unknown role `{role[:40]}`, not one of {known}{suggestion(role, ROLES)}"
        )
    return role


def _read_part(part: Any, path: str) -> tuple[str, bool]:
    """Return the text of a part, and true if it is a thought."""
    kind = part["type"] if _is_part(part) else "text"
    keys = {"text": ("text",), **{kind: (kind, "text") for kind in REASONING_PARTS}}.get(str(kind))
    if keys is None:
        raise InvalidRowError(
            "unsupported-content", f"{path} has the type `{str(kind)[:40]}`; only parts of text can be trained on"
        )
    text = next((part[key] for key in keys if type(part.get(key)) is str), None) if _is_part(part) else None
    if text is None or len(part) != 2:
        expected = f'{{"type": "{kind}", "{keys[0]}": "…"}}'
        raise InvalidRowError("unsupported-content", f"{path} must be {expected} without other keys")
    return text, kind != "text"


def _check_string(values: dict[str, Any], key: str, path: str) -> str:
    value = values[key]
    if type(value) is not str:
        raise InvalidRowError("wrong-type", f"{path}.{key} is {type_name(value)}, not a string")
    if not value:
        raise InvalidRowError("empty-value", f"{path}.{key} is empty")
    return value
