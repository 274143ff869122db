"""Conversion of ShareGPT turns into messages. A tool's answer belongs to the oldest call without an answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.column_messages import list_names, suggestion
from ftrun_plugins.data.formatters.errors import InvalidRowError

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

    def messages(self, turns: list[Any]) -> list[dict[str, Any]]:
        """Return the turns in OpenAI's format.

        Raises:
            InvalidRowError: If a turn is invalid.
        """
        return self._convert_plain(turns) or self._convert_any(turns)

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

    def _convert_any(self, turns: list[Any]) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        open_ids: deque[str] = deque()  # ids of calls without an answer
        calls = 0
        speaker = ""  # role of the last turn that is not a tool's answer
        for index, turn in enumerate(turns):
            role, text = self._check_turn(turn, f"{self.column}[{index}]")
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
                messages.append({"role": "assistant", "content": "", "tool_calls": new_calls})
            else:
                messages.append({"role": role, "content": text})
            speaker = role
        return messages

    def _parse_calls(self, text: str, index: int, call_count: int) -> list[dict[str, Any]]:
        """Return the calls with ids of nine letters and digits, because some templates accept no others."""
        calls = self.calls_of(text, f"{self.column}[{index}].{self.content}")
        return [{"id": f"call{number:05}", **call} for number, call in enumerate(calls, call_count + 1)]

    def _check_turn(self, turn: Any, path: str) -> tuple[str, str]:
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
            self._check_extra(key, value, role, path)
        if role == "assistant" and (not text or text.isspace()):
            raise InvalidRowError("empty-value", f"{path}: the assistant turn is empty")
        return role, text

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

    def _check_extra(self, key: str, value: Any, role: str, path: str) -> None:
        """Check another key of a turn. It must be empty, or a weight that equals the default."""
        if key in (self.role, self.content) or value is None or value in ("", []):
            return
        if key != "weight":
            raise InvalidRowError(
                "unknown-key", f"{path} has the unknown key `{key[:40]}`{suggestion(key, (self.role, self.content))}"
            )
        is_trained = role in ("assistant", "tool_call")
        if value != (1 if is_trained else 0):
            what = f"{'all of' if is_trained else 'only'} the assistant's turns are trained on"
            raise InvalidRowError(
                "unsupported-content", f"{path} has a `weight` other than {int(is_trained)}, but {what}"
            )
