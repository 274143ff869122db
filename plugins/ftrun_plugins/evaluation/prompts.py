"""Makes prompts with reference answers of held-out examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftrun.api.artifacts import ExampleRow, FormattedRows, Split


@dataclass(frozen=True)
class Prompt:
    """What a model is asked and what it should say; either messages or text segments."""

    index: int
    place: str
    reference: str
    messages: Sequence[Mapping[str, Any]] = ()
    tools: Sequence[Mapping[str, Any]] = ()
    segments: Sequence[str] = ()


def prompts(data: FormattedRows, split: Split) -> Iterator[Prompt]:
    """Yield one prompt for each example: everything before the last answer. Plain texts have no answer and give none."""
    kind = data.kind
    for index, example in enumerate(data.examples(split)) if kind != "text" else ():
        yield _chat(index, example) if kind == "chat" else _segments(index, example)


def prompt_texts(data: FormattedRows) -> list[str]:
    """Return the prompt of each held-out example as text for a reader, by the example's index."""
    return [_text(prompt) for prompt in prompts(data, "held_out")]


def for_template(messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The messages as chat templates take them, and the trainer hands them over: arguments of calls as objects."""
    return [
        {**message, "tool_calls": _parsed(message)} if message.get("tool_calls") else message for message in messages
    ]


def _parsed(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
        for call in message["tool_calls"]
    ]


def _text(prompt: Prompt) -> str:
    turns = (f"{message['role']}: {message.get('content') or ''}" for message in prompt.messages)
    return "\n\n".join(turns) if prompt.messages else "".join(prompt.segments)


def _chat(index: int, example: ExampleRow) -> Prompt:
    messages = example["messages"]
    last = max(place for place, message in enumerate(messages) if message["role"] == "assistant")
    return Prompt(
        index, example["place"], messages[last].get("content") or "", messages[:last], example.get("tools") or ()
    )


def _segments(index: int, example: ExampleRow) -> Prompt:
    segments = example["segments"]
    last = max(place for place, segment in enumerate(segments) if segment["label"])
    return Prompt(
        index, example["place"], segments[last]["text"], segments=[segment["text"] for segment in segments[:last]]
    )
