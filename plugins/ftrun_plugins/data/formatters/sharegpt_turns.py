"""Conversion of ShareGPT turns into messages. A tool's answer belongs to the oldest call without an answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.column_messages import list_names, suggestion
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.training_marks import MARK_KEYS, read_mark

ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "function_call": "tool_call",
    "tool_call": "tool_call",
    "observation": "tool",
    "tool": "tool",
    "function_response": "tool",
    "tool_response": "tool",
}
PLAIN = frozenset({"system", "user", "assistant"})


@dataclass(frozen=True)
class Turns:
    """Format of turns: column, keys, names of roles, and the function that parses tool calls."""

    column: str
    role: str
    content: str
    roles: Mapping[str, str]
    calls_of: Callable[[str, str], list[dict[str, Any]]]

    def messages(self, turns: list[Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return the turns in OpenAI's format, and the keys of turns that were left out, with their first values.

        Raises:
            InvalidRowError: If a turn is invalid.
        """
        if plain := self._convert_plain(turns):
            return plain, {}
        ignored: dict[str, Any] = {}
        return self._convert_any(turns, ignored), ignored

    def _convert_plain(self, turns: list[Any]) -> list[dict[str, Any]] | None:
        """Return the messages if all turns have only a role and a text, as most turns do; else None."""
        messages = []
        for turn in turns:
            if type(turn) is not dict or len(turn) != 2:
                return None
            name, text = turn.get(self.role), turn.get(self.content)
            if type(name) is not str or type(text) is not str or not text or text.isspace():
                return None
            role = self.roles.get(name)
            if role not in PLAIN:
                return None
            messages.append({"role": role, "content": text})
        return messages

    def _convert_any(self, turns: list[Any], ignored: dict[str, Any]) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        open_ids: deque[str] = deque()  # ids of calls without an answer
        calls = 0
        speaker = ""  # role of the last turn that is not a tool's answer
        for index, turn in enumerate(turns):
            role, text, mark = self._check_turn(turn, f"{self.column}[{index}]", ignored)
            if role == "tool":
                # The assistant may write a call into its text, in the syntax of the model. This call has no id.
                if not open_ids and speaker != "assistant":
                    raise InvalidRowError(
                        "bad-tool-call", f"{self.column}[{index}] is a tool's answer, but no call is open"
                    )
                answer_id = {"tool_call_id": open_ids.popleft()} if open_ids else {}
                messages.append({"role": role, **answer_id, "content": text})
                continue
            if open_ids:
                raise InvalidRowError(
                    "bad-tool-call", f"{self.column}[{index}] comes before the answer to an earlier call"
                )
            if role == "tool_call":
                new_calls = self._parse_calls(text, index, calls)
                calls += len(new_calls)
                open_ids.extend(call["id"] for call in new_calls)
                messages.append({"role": "assistant", "content": "", "tool_calls": new_calls, **mark})
            else:
                messages.append({"role": role, "content": text, **mark})
            speaker = role
        return messages

    def _parse_calls(self, text: str, index: int, call_count: int) -> list[dict[str, Any]]:
        """Return the calls with ids of nine letters and digits, because some templates accept no others."""
        calls = self.calls_of(text, f"{self.column}[{index}].{self.content}")
        return [{"id": f"call{number:05}", **call} for number, call in enumerate(calls, call_count + 1)]

    def _check_turn(self, turn: Any, path: str, ignored: dict[str, Any]) -> tuple[str, str, dict[str, bool]]:
        """Return role and text of a turn, and its mark for training."""
        if type(turn) is not dict:
            raise InvalidRowError(
                "wrong-type", f"{path} is {type_name(turn)}, not an object with {self.role} and {self.content}"
            )
        role = self._check_role(turn, path)
        text = turn.get(self.content)
        if self.content not in turn:
            raise InvalidRowError("missing-value", f"{path} has no `{self.content}`; it has {list_names(turn)}")
        if type(text) is not str:
            raise InvalidRowError("wrong-type", f"{path}.{self.content} is {type_name(text)}, not a string")
        for key, value in turn.items():
            self._check_extra(key, value, path, ignored)
        if role == "assistant" and (not text or text.isspace()):
            raise InvalidRowError("empty-value", f"{path}: the assistant turn is empty")
        return role, text, self._read_mark(turn, role, path)

    def _check_role(self, turn: dict[str, Any], path: str) -> str:
        if self.role not in turn:
            raise InvalidRowError("missing-value", f"{path} has no `{self.role}`; it has {list_names(turn)}")
        name = turn[self.role]
        if type(name) is not str:
            raise InvalidRowError("wrong-type", f"{path}.{self.role} is {type_name(name)}, not a string")
        if name not in self.roles:
            hint = suggestion(name, self.roles) or "; map it to a role in `roles`"
            raise InvalidRowError("unknown-role", f"{path} has the unknown role `{name[:40]}`{hint}")
        return self.roles[name]

    def _check_extra(self, key: str, value: Any, path: str, ignored: dict[str, Any]) -> None:
        """Record another key of a turn that is not empty. A key like a known one is an error."""
        known = (self.role, self.content, *MARK_KEYS)
        if key in known or value is None or value in ("", []):
            return
        if close := suggestion(key, known):
            raise InvalidRowError("unknown-key", f"{path} has the unknown key `{key[:40]}`{close}")
        ignored.setdefault(f"{self.column}[].{key}", value)

    def _read_mark(self, turn: dict[str, Any], role: str, path: str) -> dict[str, bool]:
        mark = read_mark(turn, path)
        if role in ("assistant", "tool_call"):
            return {} if mark is None else {"train": mark}
        if mark:
            what = f"{path} is marked for training, but only the turns of the model are trained on"
            raise InvalidRowError("unsupported-content", what)
        return {}
