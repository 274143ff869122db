"""Choice of the chats whose prompts are compared."""

from __future__ import annotations

from typing import Any

from ftrun_plugins.axolotl.tokenize.prompt_check import MAX_ROWS, MAX_ROWS_PER_FORM, ChatSample

USER, ANSWER = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}
SYSTEM = {"role": "system", "content": "s"}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {}}]}
FORMS: dict[str, dict[str, Any]] = {
    "plain": {"messages": [USER, ANSWER]},
    "system": {"messages": [SYSTEM, USER, ANSWER]},
    "tools": {"messages": [USER, ANSWER], "tools": [{}]},
    "call": {"messages": [USER, CALL]},
    "thoughts": {"messages": [USER, {**ANSWER, "reasoning_content": "t"}]},
    "earlier thoughts": {"messages": [USER, {**ANSWER, "content": "<think>t</think>b"}, USER, ANSWER]},
    "untrained": {"messages": [USER, {**ANSWER, "train": False}, USER, ANSWER]},
}


def rows(*names: str) -> list[Any]:
    return [{"place": f"x:{number}", **FORMS[name]} for number, name in enumerate(names, start=1)]


def watched(examples: list[Any]) -> list[Any]:
    sample = ChatSample()
    assert list(sample.watch(examples)) == examples
    return list(sample.examples)


def test_each_form_is_chosen_however_late_it_comes() -> None:
    many = rows(*["plain"] * 1000, *FORMS)
    chosen = watched(many)
    assert chosen[:MAX_ROWS_PER_FORM] == many[:MAX_ROWS_PER_FORM]
    assert chosen[MAX_ROWS_PER_FORM:] == many[1001:]


def test_the_number_of_chats_is_bounded() -> None:
    roles = [{"place": "x:1", "messages": [{"role": str(number), "content": "a"}]} for number in range(100)]
    assert len(watched(roles)) == MAX_ROWS


def test_texts_and_segments_are_no_chats() -> None:
    assert watched([{"place": "x:1", "text": "a"}, {"place": "x:2", "segments": []}]) == []
