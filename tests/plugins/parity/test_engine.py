"""Requests to the engine hold what the training saw."""

from __future__ import annotations

from ftrun_plugins.parity.engine import request_messages

ANSWER = {"role": "assistant", "content": "Ada."}


def test_thoughts_have_the_key_that_vllm_reads() -> None:
    thinking = {**ANSWER, "reasoning_content": "She wrote it."}
    assert request_messages([thinking]) == [{**thinking, "reasoning": "She wrote it."}]


def test_messages_without_thoughts_stay_as_they_are() -> None:
    assert request_messages([ANSWER, {**ANSWER, "reasoning_content": None}])[0] == ANSWER
    assert "reasoning" not in request_messages([{**ANSWER, "reasoning_content": None}])[0]
