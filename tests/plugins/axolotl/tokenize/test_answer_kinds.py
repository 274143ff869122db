"""Notes on the parsers that a server of the tuned model needs."""

from __future__ import annotations

from typing import Any

import pytest

from ftrun_plugins.axolotl.tokenize.answer_kinds import CALLS, THOUGHTS, describe_parsers, watch_kinds

USER = {"role": "user", "content": "Who?"}
CALLING = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "look", "arguments": "{}"}}]}
HERMES, QWEN = "{{ '<tool_call>' }}", "{% if enable_thinking %}<think></think>{% endif %}"


@pytest.mark.parametrize(
    ("example", "kinds"),
    [
        ({"messages": [USER, {"role": "assistant", "content": "Ada."}]}, set()),
        ({"messages": [USER, CALLING]}, {CALLS}),
        ({"messages": [USER, {"role": "assistant", "content": "Ada.", "reasoning_content": "Noon."}]}, {THOUGHTS}),
        ({"messages": [USER, {"role": "assistant", "content": "<think>Noon.</think>Ada."}]}, {THOUGHTS}),
        ({"text": "</think>"}, set()),
    ],
)
def test_what_answers_contain(example: dict[str, Any], kinds: set[str]) -> None:
    found = set[str]()
    assert list(watch_kinds([example, example], found)) == [example, example]
    assert found == kinds


@pytest.mark.parametrize(
    ("template", "kinds", "options"),
    [
        (HERMES, {CALLS}, ["serve.tool_parser=hermes"]),
        (HERMES + QWEN, {CALLS, THOUGHTS}, ["serve.tool_parser=hermes", "serve.reasoning_parser=qwen3"]),
        ("", {CALLS}, ["no serve.tool_parser"]),
        (HERMES, set(), []),
    ],
)
def test_notes(template: str, kinds: set[str], options: list[str]) -> None:
    notes = list(describe_parsers(template, kinds))
    assert len(notes) == len(options)
    assert all(option in note for option, note in zip(options, notes, strict=True))
