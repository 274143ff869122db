"""Turns of a ShareGPT conversation become messages; an answer of a tool belongs to the oldest call without one."""

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
    """How turns are written: the column and keys for messages, the roles, and what reads calls out of a text."""

    column: str
    role: str
    content: str
    roles: Mapping[str, str]
    calls_of: Callable[[str, str], list[dict[str, Any]]]

    def messages(self, turns: list[Any]) -> list[dict[str, Any]]:
        """The turns in OpenAI's shape. Raises `InvalidRowError`."""
        return self._plain(turns) or self._any(turns)

    def _plain(self, turns: list[Any]) -> list[dict[str, Any]] | None:
        """Turns that are nothing but a role and a text, as most are; None where one is more, or less."""
        found = []
        for turn in turns:
            if type(turn) is not dict or len(turn) != 2:
                return None
            name, text = turn.get(self.role), turn.get(self.content)
            if type(name) is not str or type(text) is not str or not text or text.isspace():
                return None
            role = self.roles.get(name)
            if role not in PLAIN:
                return None
            found.append({"role": role, "content": text})
        return found

    def _any(self, turns: list[Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        waiting: deque[str] = deque()  # ids of calls without an answer
        calls = 0
        asked = "nobody"  # who spoke last, tools apart
        for index, turn in enumerate(turns):
            role, text = self._checked(turn, f"{self.column}[{index}]")
            if role == "tool":
                # A call may stand in the assistant's text, in the model's own words for it: without an id.
                if not waiting and asked != "assistant":
                    raise InvalidRowError("bad-tool-call", f"{self.column}[{index}] is a tool's answer to no call")
                belongs = {"tool_call_id": waiting.popleft()} if waiting else {}
                found.append({"role": role, **belongs, "content": text})
                continue
            if waiting:
                raise InvalidRowError(
                    "bad-tool-call", f"{self.column}[{index}] comes before the answer to a call made before it"
                )
            if role == "tool_call":
                made = self._calls(text, index, calls)
                calls += len(made)
                waiting.extend(call["id"] for call in made)
                found.append({"role": "assistant", "content": "", "tool_calls": made})
            else:
                found.append({"role": role, "content": text})
            asked = role
        return found

    def _calls(self, text: str, index: int, before: int) -> list[dict[str, Any]]:
        """Calls with ids of nine letters and digits, since some templates take no others."""
        calls = self.calls_of(text, f"{self.column}[{index}].{self.content}")
        return [{"id": f"call{number:05}", **call} for number, call in enumerate(calls, before + 1)]

    def _checked(self, turn: Any, where: str) -> tuple[str, str]:
        if type(turn) is not dict:
            raise InvalidRowError(
                "wrong-type", f"{where} is {type_name(turn)}, not an object with {self.role} and {self.content}"
            )
        role = self._role(turn, where)
        text = turn.get(self.content)
        if self.content not in turn:
            raise InvalidRowError("missing-value", f"{where} has no `{self.content}`; it has {list_names(turn)}")
        if type(text) is not str:
            raise InvalidRowError("wrong-type", f"{where}.{self.content} is {type_name(text)}, not a text")
        for key, value in turn.items():
            self._check_extra(key, value, role, where)
        if role == "assistant" and (not text or text.isspace()):
            raise InvalidRowError("empty-value", f"{where}: the assistant says nothing")
        return role, text

    def _role(self, turn: dict[str, Any], where: str) -> str:
        if self.role not in turn:
            raise InvalidRowError("missing-value", f"{where} has no `{self.role}`; it has {list_names(turn)}")
        name = turn[self.role]
        if type(name) is not str:
            raise InvalidRowError("wrong-type", f"{where}.{self.role} is {type_name(name)}, not a text")
        if name not in self.roles:
            near = suggestion(name, self.roles) or "; say in `roles` which role it is"
            raise InvalidRowError("unknown-role", f"{where} has the unknown role `{name[:40]}`{near}")
        return self.roles[name]

    def _check_extra(self, key: str, value: Any, role: str, where: str) -> None:
        """What a turn holds besides: nothing that says something, but for the weight that every turn has anyway."""
        if key in (self.role, self.content) or value is None or value in ("", []):
            return
        if key != "weight":
            raise InvalidRowError(
                "unknown-key", f"{where} has the unknown key `{key[:40]}`{suggestion(key, (self.role, self.content))}"
            )
        is_trained = role in ("assistant", "tool_call")
        if value != (1 if is_trained else 0):
            what = f"{'all of' if is_trained else 'only'} the assistant's turns are trained on"
            raise InvalidRowError("unsupported-content", f"{where} has a weight other than {int(is_trained)}: {what}")
