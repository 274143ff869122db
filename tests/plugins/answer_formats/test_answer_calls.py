"""Calls of tools in complete answers, apart from the text around them."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun_plugins.answer_formats.answer_calls import split_calls

CALL = '{"name": "porch", "arguments": {"side": "lee"}}'
PORCH = ("porch", {"side": "lee"})


@pytest.mark.parametrize(
    ("call_format", "answer", "text", "calls"),
    [
        ("tagged", f"Sure.\n<tool_call>\n{CALL}\n</tool_call>\n<tool_call>{CALL}</tool_call>", "Sure.", [PORCH, PORCH]),
        ("tagged", "<tool_call>{</tool_call>!", "<tool_call>{</tool_call>!", []),
        ("tagged", '<tool_call>{"name": "x', '<tool_call>{"name": "x', []),
        ("tagged", " a < b ", " a < b ", []),
        ("bare", f"{CALL}; {CALL.replace('arguments', 'parameters')}", "", [PORCH, PORCH]),
        ("bare", f"<|python_tag|>{CALL}", "", [PORCH]),
        ("bare", f"<think>\nHm {{}}\n</think>\n\n{CALL}", "<think>\nHm {}\n</think>", [PORCH]),
        ("bare", '{"answer": 5}', '{"answer": 5}', []),
        ("bare", f"It is {CALL}", f"It is {CALL}", []),
        ("listed", f"[TOOL_CALLS] [{CALL}, {CALL}]", "", [PORCH, PORCH]),
        ("listed", 'Sure. [TOOL_CALLS]porch[ARGS]{"side": "lee"}', "Sure.", [PORCH]),
        ("listed", "none", "none", []),
    ],
)
def test_calls_and_text(call_format: str, answer: str, text: str, calls: list[tuple[str, object]]) -> None:
    rest, found = split_calls(call_format, answer)
    assert (rest, [(call.name, json.loads(call.arguments)) for call in found]) == (text, calls)


@given(st.sampled_from(["tagged", "bare", "listed"]), st.text(alphabet='<tool_call>/{}[]"TOOL_CALLS:, ', max_size=80))
def test_any_answer_is_split(call_format: str, answer: str) -> None:
    text, calls = split_calls(call_format, answer)
    assert calls or text == answer


@pytest.mark.parametrize("answer", ["<tool_call>" * 20_000, "\n" * 200_000, "{" * 200_000, "[TOOL_CALLS]" * 20_000])
def test_long_answers_are_split_in_time(answer: str) -> None:
    start = time.process_time()
    for call_format in ("tagged", "bare", "listed"):
        split_calls(call_format, answer)
    assert time.process_time() - start < 2
