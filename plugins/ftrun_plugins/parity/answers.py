"""Check that the parsers of a server read answers as the chat template of the training writes them.

The template renders an answer with a call of a tool, and one with thoughts. The parsers must return the same call and
the same thoughts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ftrun.api.artifacts import TokenizedRows
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.template_limits import report_endless_template
from ftrun_plugins.answer_formats.proposal import propose_reasoning_parser, propose_tool_parser
from ftrun_plugins.serving.answer_parser import AnswerFormat, remove_ends, special_tokens, with_format

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.parity.params import Params

QUESTION = {"role": "user", "content": "Who is at the door?"}
NAME, ARGUMENTS = "porch", {"side": "leeward"}
CALL = {"id": "call00001", "type": "function", "function": {"name": NAME, "arguments": ARGUMENTS}}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": NAME,
            "description": "Looks through the spyhole",
            "parameters": {
                "type": "object",
                "properties": {"side": {"type": "string", "description": "left or right"}},
            },
        },
    }
]
THOUGHTS, ANSWER = "The voice sounds Dutch.", "A glazier from Utrecht."


class Parsed(NamedTuple):
    """Parts of an answer. Calls are pairs of name and arguments."""

    thoughts: str
    content: str
    calls: list[tuple[str, Any]]


Parse = Callable[[str, str], Parsed]  # of the prompt and the answer


def check_answers(params: Params, context: StageContext) -> tuple[dict[str, Any], list[Problem]]:
    """Return a summary, and the problems of the parsers with the chat template."""
    from transformers import AutoTokenizer

    template = TokenizedRows(context.inputs["tokenized"]).template
    if template is None:
        return {"rows": 0, "why": "the rows are no chats, and are served without parsers"}, []
    tokenizer = AutoTokenizer.from_pretrained(context.inputs["model"], trust_remote_code=params.trust_remote_code)
    tokenizer.chat_template = template
    chosen = {key: getattr(params, key) for key in ("tool_parser", "reasoning_parser")}
    summary = {"parsers": {key: name for key, name in chosen.items() if name}}
    return summary, find_problems(params, tokenizer, context.report.warning)


def find_problems(params: Params, tokenizer: Any, warn: Callable[[str], None]) -> list[Problem]:
    """Return the problems of the parsers with the chat template of a tokenizer. `warn` gets what cannot be checked."""
    try:
        parse = _make_vllm_parser(params, tokenizer) if params.engine else _make_own_parser(params, tokenizer)
    except TypeError as error:  # vLLM says so at its start: the tokenizer lacks a mark, or two parsers do not fit
        reason = " ".join(str(error.__cause__ or error).split())
        hint = f"{_suggest_for_template(params, tokenizer)}, or add the marks with `train.tokens`"
        return [Problem("parity", f"vLLM cannot use the parsers with this model: {reason}", "serve", hint=hint)]
    checks = ((params.tool_parser, _check_calls), (params.reasoning_parser, _check_thoughts))
    return [problem for name, check in checks if name for problem in check(params, tokenizer, parse, warn)]


def _check_calls(params: Params, tokenizer: Any, parse: Parse, warn: Callable[[str], None]) -> Iterator[Problem]:
    place, name = "serve.tool_parser", params.tool_parser
    rendered = _render({"role": "assistant", "content": "", "tool_calls": [CALL]}, TOOLS, params, tokenizer)
    if rendered is None:
        warn(f"{place} is not checked: {UNKNOWN}")
        return
    prompt, text = rendered
    if NAME not in text:
        hint = "use another train.chat_template, or remove the option"
        yield Problem("parity", "the chat template leaves out calls of tools", place, hint=hint)
    elif parse(prompt, text).calls != [(NAME, ARGUMENTS)]:
        what = f"the parser `{name}` does not read the call that the chat template writes: {text!r}"
        yield Problem("parity", what, place, hint=_suggest(place, propose_tool_parser(text), name))


def _check_thoughts(params: Params, tokenizer: Any, parse: Parse, warn: Callable[[str], None]) -> Iterator[Problem]:
    place, name = "serve.reasoning_parser", params.reasoning_parser
    variants = (
        {"role": "assistant", "content": ANSWER, "reasoning_content": THOUGHTS},
        {"role": "assistant", "content": f"<think>\n{THOUGHTS}\n</think>\n\n{ANSWER}"},
    )
    rendered = [_render(message, (), params, tokenizer) for message in variants]
    if None in rendered:
        warn(f"{place} is not checked: {UNKNOWN}")
        return
    prompt, text = next((pair for pair in rendered if pair and THOUGHTS in pair[1]), ("", ""))
    if not text:
        hint = "use another train.chat_template, or remove the option"
        yield Problem("parity", "the chat template leaves out thoughts", place, hint=hint)
        return
    parsed = parse(prompt, text)
    if (parsed.thoughts.strip(), parsed.content.strip()) != (THOUGHTS, ANSWER):
        what = f"the parser `{name}` does not read the thoughts that the chat template writes: {text!r}"
        yield Problem("parity", what, place, hint=_suggest(place, propose_reasoning_parser(text), name))


UNKNOWN = "the chat template cannot render such an answer after its prompt"


def _render(message: Mapping[str, Any], tools: Sequence[Any], params: Params, tokenizer: Any) -> tuple[str, str] | None:
    """Return the prompt and the answer that a model would write after it, without the end of the turn.

    Returns None if the template fails, or if the answer does not begin with the prompt of the generation.
    """
    options = {**params.template, "tools": list(tools) or None, "tokenize": False}
    try:
        with report_endless_template():
            prompt: str = tokenizer.apply_chat_template([QUESTION], add_generation_prompt=True, **options)
            whole: str = tokenizer.apply_chat_template([QUESTION, message], **options)
    except InvalidInput:
        raise
    except Exception:  # of the template; rows with such answers are refused before
        return None
    text = whole.removeprefix(prompt)
    return None if text == whole else (prompt, remove_ends(text, special_tokens(tokenizer)))


def _suggest_for_template(params: Params, tokenizer: Any) -> str:
    tools = propose_tool_parser(tokenizer.chat_template)
    if params.tool_parser and tools and tools != params.tool_parser:
        return f"set serve.tool_parser={tools}"
    thoughts = propose_reasoning_parser(tokenizer.chat_template)
    if params.reasoning_parser and thoughts and thoughts != params.reasoning_parser:
        return f"set serve.reasoning_parser={thoughts}"
    return "choose the parser of the model"


def _suggest(place: str, proposed: str | None, name: str | None) -> str:
    fits = proposed is not None and proposed != name
    return f"set {place}={proposed}" if fits else f"choose the parser for this format, or remove {place}"


def _make_own_parser(params: Params, tokenizer: Any) -> Parse:
    """Return the parser of the engine `transformers`."""
    answers = with_format(tokenizer, AnswerFormat.of(params.tool_parser, params.reasoning_parser))

    def parse(prompt: str, text: str) -> Parsed:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        found = answers.parse_response(ids, answers.response_template, prefix=prompt)
        functions = [call["function"] for call in found["tool_calls"]]
        calls = [(function["name"], json.loads(function["arguments"])) for function in functions]
        return Parsed(found["thinking"] or "", found["content"], calls)

    return parse


def _make_vllm_parser(params: Params, tokenizer: Any) -> Parse:
    """Return the parser of vLLM, made as its server makes it.

    Raises:
        TypeError: If vLLM refuses the parsers, for example because the tokenizer lacks a mark.
    """
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
    from vllm.parser.parser_manager import ParserManager

    parser = ParserManager.get_parser(
        tool_parser_name=params.tool_parser,
        reasoning_parser_name=params.reasoning_parser,
        enable_auto_tools=params.tool_parser is not None,
        is_harmony=params.tool_parser == "openai" or params.reasoning_parser == "openai_gptoss",
        tokenizer=tokenizer,
    )

    def parse(prompt: str, text: str) -> Parsed:
        tools = {"tools": TOOLS, "tool_choice": "auto"} if params.tool_parser else {}
        request = ChatCompletionRequest(model="tuned", messages=[QUESTION], **tools)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        answers = parser(tokenizer, request.tools, chat_template_kwargs=params.template)
        thoughts, content, found = answers.parse(
            text, request, enable_auto_tools=params.tool_parser is not None, model_output_token_ids=ids
        )
        calls = [(call.name, json.loads(call.arguments)) for call in found or ()]
        return Parsed(thoughts or "", content or "", calls)

    return parse
