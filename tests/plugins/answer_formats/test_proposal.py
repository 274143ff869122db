"""Proposals of parsers by the marks of a format. The end-to-end tests try them on real templates."""

from __future__ import annotations

import pytest

from ftrun_plugins.answer_formats.parser_names import CALL_FORMATS, REASONING_PARSERS, THOUGHT_TAGS, TOOL_PARSERS
from ftrun_plugins.answer_formats.proposal import (
    REASONING_MARKS,
    TOOL_MARKS,
    propose_reasoning_parser,
    propose_tool_parser,
)


@pytest.mark.parametrize(
    ("text", "parser"),
    [
        ('<tool_call>\n{"name": "a", "arguments": {}}\n</tool_call>', "hermes"),
        ("<tool_call>\n<function=a>\n<parameter=b>\n1\n</parameter>\n</function>\n</tool_call>", "qwen3_coder"),
        ("<tool_call>a\n<arg_key>b</arg_key>\n<arg_value>1</arg_value>\n</tool_call>", "glm45"),
        ('{"name": "a", "parameters": {}}', "llama3_json"),
        ('[TOOL_CALLS] [{"name": "a", "arguments": {}}]', "mistral"),
        ("<|im_start|>assistant\nHello<|im_end|>", None),
        ("", None),
    ],
)
def test_proposals_for_calls(text: str, parser: str | None) -> None:
    assert propose_tool_parser(text) == parser


@pytest.mark.parametrize(
    ("text", "parser"),
    [
        ("{% if enable_thinking %}<think>{% endif %}</think>", "qwen3"),
        ("<think>\nIt is noon.\n</think>\n\nHello", "deepseek_r1"),
        ("[THINK]It is noon.[/THINK]Hello", "mistral"),
        ("Hello", None),
    ],
)
def test_proposals_for_thoughts(text: str, parser: str | None) -> None:
    assert propose_reasoning_parser(text) == parser


def test_every_proposal_is_a_parser_of_vllm() -> None:
    assert {parser for parser, _ in TOOL_MARKS} <= TOOL_PARSERS
    assert {parser for parser, _ in REASONING_MARKS} <= REASONING_PARSERS
    assert set(CALL_FORMATS) <= TOOL_PARSERS
    assert set(THOUGHT_TAGS) <= REASONING_PARSERS
