"""Prompts with reference answers, made of examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftrun.api.artifacts import ExampleRow, FormattedRows, Split
from ftrun.api.template_limits import report_endless_template
from ftrun.api.tool_calls import ToolCall, add_calls, read_calls

__all__ = ["Prompt", "apply_template", "make_prompt", "parse_tool_arguments", "prompt_texts", "prompts"]


@dataclass(frozen=True)
class Prompt:
    """Prompt and its reference answer. A prompt consists of messages or of text segments.

    `reference` contains the text of the reference answer and its calls of tools, which are also in `calls`.
    """

    index: int
    place: str
    reference: str
    messages: Sequence[Mapping[str, Any]] = ()
    tools: Sequence[Mapping[str, Any]] = ()
    segments: Sequence[str] = ()
    calls: Sequence[ToolCall] = ()


def prompts(data: FormattedRows, split: Split) -> Iterator[Prompt]:
    """Yield one prompt per example: everything before the last trained answer. Plain texts yield no prompts."""
    for index, example in enumerate(data.examples(split)) if data.kind != "text" else ():
        yield make_prompt(index, example)


def make_prompt(index: int, example: ExampleRow) -> Prompt:
    """Return the prompt of a chat or of segments: everything before the last trained answer."""
    return _make_chat_prompt(index, example) if "messages" in example else _make_segments_prompt(index, example)


def prompt_texts(data: FormattedRows) -> list[str]:
    """Return the prompts of the held-out examples as readable texts, in the order of the examples."""
    return [_render(prompt) for prompt in prompts(data, "held_out")]


def apply_template(prompt: Prompt, tokenizer: Any, template: Mapping[str, Any]) -> list[int]:
    """Return the token ids of a chat prompt, rendered with these variables of the chat template.

    Raises:
        InvalidInput: If the template does not end.
    """
    with report_endless_template(prompt.place):
        ids: list[int] = tokenizer.apply_chat_template(
            parse_tool_arguments(prompt.messages),
            tools=list(prompt.tools) or None,
            add_generation_prompt=True,
            return_dict=False,
            **template,
        )
    return ids


def parse_tool_arguments(messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the messages with arguments of tool calls as objects, as chat templates and the trainer expect them."""
    return [
        {**message, "tool_calls": _parse(message)} if message.get("tool_calls") else message for message in messages
    ]


def _parse(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
        for call in message["tool_calls"]
    ]


def _render(prompt: Prompt) -> str:
    if not prompt.messages:
        return "".join(prompt.segments)
    tools = [f"tools: {json.dumps([_describe(tool) for tool in prompt.tools], ensure_ascii=False)}"]
    turns = (f"{message['role']}: {_render_message(message)}" for message in prompt.messages)
    return "\n\n".join([*(tools if prompt.tools else []), *turns])


def _describe(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the name, description and parameters of a tool of OpenAI's shape."""
    function: Mapping[str, Any] = tool.get("function", tool)
    return function


def _render_message(message: Mapping[str, Any]) -> str:
    return add_calls(message.get("content") or "", read_calls(message))


def _make_chat_prompt(index: int, example: ExampleRow) -> Prompt:
    messages = example["messages"]
    last = max(place for place, message in enumerate(messages) if _is_trained(message))
    earlier = [{key: value for key, value in message.items() if key != "train"} for message in messages[:last]]
    answer, tools = messages[last], example.get("tools") or ()
    return Prompt(index, example["place"], _render_message(answer), earlier, tools, calls=read_calls(answer))


def _is_trained(message: Mapping[str, Any]) -> bool:
    return message["role"] == "assistant" and message.get("train") is not False


def _make_segments_prompt(index: int, example: ExampleRow) -> Prompt:
    segments = example["segments"]
    last = max(place for place, segment in enumerate(segments) if segment["label"])
    return Prompt(
        index, example["place"], segments[last]["text"], segments=[segment["text"] for segment in segments[:last]]
    )
