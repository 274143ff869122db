"""What is read in the tokens of an answer: its text, its special tokens, its calls of tools."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ftrun.api.prompts import Prompt, make_prompt
from ftrun.api.tool_calls import ToolCall
from ftrun_plugins.evaluation.generate.answer_text import AnswerReader

ASK = {"role": "user", "content": "Who?"}
TOOLS = [{"type": "function", "function": {"name": "porch", "parameters": {}}}]
WRITTEN = '<tool_call>\n{"name": "porch", "arguments": {"b": 1, "a": "x"}}\n</tool_call>'
CALL = ToolCall("porch", {"a": "x", "b": 1})
LINE = '{"tool_call": {"arguments": {"a": "x", "b": 1}, "name": "porch"}}'


class Tokenizer:
    """Its token ids are indexes of texts."""

    def __init__(self, template: str, *tokens: str) -> None:
        self.chat_template = template
        self.all_special_tokens = ["<|end|>", "<|pad|>"]
        self._tokens = tokens

    def decode(self, ids: Sequence[int], skip_special_tokens: bool) -> str:
        kept = (self._tokens[token] for token in ids)
        return "".join(token for token in kept if not skip_special_tokens or token not in self.all_special_tokens)


def prompt(*, calls: bool = False, tools: bool = False) -> Prompt:
    call = {"id": "1", "type": "function", "function": {"name": "porch", "arguments": '{"b": 1, "a": "x"}'}}
    answer = {"role": "assistant", "content": "", **({"tool_calls": [call]} if calls else {})}
    return make_prompt(0, {"place": "a:1", "messages": [ASK, answer], **({"tools": TOOLS} if tools else {})})


def test_special_tokens_inside_an_answer_are_part_of_it() -> None:
    reader = AnswerReader(Tokenizer("", "a ", "<|end|>", "b", "<|pad|>"), None)
    assert reader.read([0, 1, 2, 1, 3, 3], prompt()).text == "a <|end|>b"


def test_a_reference_with_a_call_is_not_empty() -> None:
    asked = prompt(calls=True)
    assert (asked.reference, asked.calls) == (LINE, (CALL,))


def test_calls_of_answer_and_reference_are_written_alike() -> None:
    tokenizer = Tokenizer("<tool_call>", "Looking.\n", WRITTEN)
    found = AnswerReader(tokenizer, None).read([0, 1], prompt(calls=True, tools=True))
    assert (found.text, found.calls, found.error) == (f"Looking.\n{LINE}", (CALL,), None)
    assert AnswerReader(tokenizer, None).read([1], prompt(calls=True)).text == prompt(calls=True).reference


def test_an_answer_without_tools_stays_as_it_is() -> None:
    found = AnswerReader(Tokenizer("<tool_call>", WRITTEN), None).read([0], prompt())
    assert (found.text, found.calls) == (WRITTEN, ())


@pytest.mark.parametrize(("template", "parser"), [("<tool_call><arg_key>", None), ("<tool_call>", "glm45"), ("", None)])
def test_a_format_that_cannot_be_read_is_no_answer_without_a_call(template: str, parser: str | None) -> None:
    reader = AnswerReader(Tokenizer(template, WRITTEN), parser)
    with_call = reader.read([0], prompt(calls=True, tools=True))
    assert (with_call.calls, bool(with_call.error)) == (None, True)
    assert reader.read([0], prompt(tools=True)).error is None


def test_the_parser_of_the_recipe_is_used() -> None:
    bare = '{"name": "porch", "parameters": {"a": "x", "b": 1}}'
    assert AnswerReader(Tokenizer("<tool_call>", bare), "llama3_json").read([0], prompt(calls=True)).calls == (CALL,)
