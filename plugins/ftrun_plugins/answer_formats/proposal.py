"""Proposal of parsers from the marks in a chat template, or in a text that it rendered."""

from __future__ import annotations

import re

# The first parser whose marks all occur is proposed. Marks of a format that contains another format come first.
TOOL_MARKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("gemma4", (r"tool_call>call:",)),
    ("functiongemma", (r"<start_function_call>",)),
    ("muse_glimmer", (r"<atem:function_calls>",)),
    ("openai", (r"<\|channel\|>", r"commentary", r"functions\.")),
    ("deepseek_v32", (r"DSML",)),
    ("deepseek_v3", ("<\uff5ctool\u2581calls\u2581begin\uff5c>", "```json")),
    ("deepseek_v31", ("<\uff5ctool\u2581calls\u2581begin\uff5c>",)),
    ("kimi_k2", (r"<\|tool_calls_section_begin\|>",)),
    ("lfm2", (r"<\|tool_call_start\|>",)),
    ("apertus", (r"<\|tools_prefix\|>",)),
    ("seed_oss", (r"<seed:tool_call>",)),
    ("minimax_m2", (r"<minimax:tool_call>",)),
    ("longcat", (r"<longcat_tool_call>",)),
    ("cohere_command3", (r"<\|START_ACTION\|>",)),
    ("mistral", (r"\[TOOL_CALLS\]",)),
    ("phi4_mini_json", (r"functools\[",)),
    ("granite", (r"<\|tool_call\|>",)),
    ("glm45", (r"<tool_call>", r"<arg_key>")),
    ("qwen3_coder", (r"<tool_call>", r"<function=", r"<parameter=")),
    ("hermes", (r"<tool_call>",)),
    ("jamba", (r"<tool_calls>",)),
    ("llama3_json", (r'\{"name": ', r'"parameters": ')),
)
REASONING_MARKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("gemma4", (r"<\|channel>thought",)),
    ("muse_glimmer", (r"<\|eom\|>", r"to=self")),
    ("openai_gptoss", (r"<\|channel\|>analysis",)),
    ("mistral", (r"\[THINK\]",)),
    ("seed_oss", (r"<seed:think>",)),
    ("cohere_command3", (r"<\|START_THINKING\|>",)),
    ("glm45", (r"</think>", r"<arg_key>|\[gMASK\]")),
    ("nemotron_v3", (r"</think>", r"truncate_history_thinking")),
    ("qwen3", (r"</think>", r"enable_thinking|<\|im_start\|>|<\|im_end\|>")),
    ("deepseek_r1", (r"</think>",)),
)


def propose_tool_parser(text: str) -> str | None:
    """Return the parser for the calls of tools in a template or a rendered text. None: no known format."""
    return _propose(TOOL_MARKS, text)


def propose_reasoning_parser(text: str) -> str | None:
    """Return the parser for the thoughts in a template or a rendered text. None: no known format."""
    return _propose(REASONING_MARKS, text)


def _propose(table: tuple[tuple[str, tuple[str, ...]], ...], text: str) -> str | None:
    matching = (parser for parser, marks in table if all(re.search(mark, text) for mark in marks))
    return next(matching, None)
