"""Kinds of content that a rendered conversation lacks."""

from __future__ import annotations

from typing import Any

import pytest

from ftrun_plugins.axolotl.tokenize.data_report import DataReport
from ftrun_plugins.axolotl.tokenize.template_loss import find_losses


def says(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


USER = says("user", "Who?")
ANSWER = says("assistant", "The miller.")
RENDERED = "<u>Who?</u><a>The miller.</a>"
ANSWERS, THOUGHTS = "answers of the assistant", "thoughts of the assistant"
SPACE = f"white space at the ends of {ANSWERS}"
THINKING = says("assistant", "The miller.", reasoning_content="He has flour.")
TOOL = {"type": "function", "function": {"name": "look", "parameters": {}}}


@pytest.mark.parametrize(
    ("messages", "text", "losses"),
    [
        ([USER, ANSWER], RENDERED, set()),
        ([says("system", "Be brief."), USER, ANSWER], RENDERED, {"system prompts"}),
        ([says("developer", "Be brief."), USER, ANSWER], RENDERED, {"developer messages"}),
        ([says("system", ""), USER, ANSWER], RENDERED, set()),
        ([USER, says("assistant", "The miller.\n")], "Who? The miller.", {SPACE}),
        ([says("user", " Who?"), ANSWER], "<u>Who?</u> The miller.", {"white space at the ends of user messages"}),
        ([USER, THINKING], "Who? The miller.", {THOUGHTS}),
        ([USER, {**THINKING, "reasoning_content": "He has flour.\n"}], "Who? He has flour. The miller.", set()),
        ([USER, says("assistant", "<think>\nHe has flour.\n</think>\n\nThe miller.")], "Who? The miller.", {THOUGHTS}),
        ([USER, says("assistant", "The miller."), USER, says("assistant", "Nobody.")], "Who? Nobody.", {ANSWERS}),
        ([USER, ANSWER, says("tool", "no\nrain"), ANSWER], 'Who? The miller. {"output": "no\\nrain"}', set()),
        ([USER, ANSWER, says("tool", "rain"), ANSWER], "Who? The miller.", {"answers of tools"}),
        ([USER, says("assistant", None, tool_calls=[])], "Who?", set()),
    ],
)  # fmt: skip
def test_kinds(messages: list[dict[str, Any]], text: str, losses: set[str]) -> None:
    assert find_losses(messages, (), text) == losses


def test_tools() -> None:
    assert find_losses([USER, ANSWER], [TOOL], "look: Who? The miller.") == set()
    assert find_losses([USER, ANSWER], [TOOL], "Who? The miller.") == {"definitions of tools"}


def test_the_report_counts_rows_by_kind_with_the_first_place() -> None:
    report = DataReport(64)
    for line, kinds in enumerate(((), ("b", "a"), ("b",)), start=1):
        report.add(f"f:{line}", 8, 4, cut=False)
        report.add_losses(f"f:{line}", kinds)

    assert report.summary()["template_losses"] == {"a": {"rows": 1, "first": "f:2"}, "b": {"rows": 2, "first": "f:2"}}
