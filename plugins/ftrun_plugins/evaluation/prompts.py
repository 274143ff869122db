"""Makes prompts with reference answers of held-out examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Prompt:
    """What a model is asked and what it should say; either messages or text segments."""

    index: int
    place: str
    reference: str
    messages: Sequence[Mapping[str, Any]] = ()
    tools: Sequence[Mapping[str, Any]] = ()
    segments: Sequence[str] = ()


def prompts(examples: Path, kind: str) -> Iterator[Prompt]:
    """One prompt an example: everything before the last answer. Plain texts have no answer and give none."""
    if kind == "text":
        return
    with examples.open("rb") as file:
        for index, line in enumerate(file):
            example = json.loads(line)
            yield _chat(index, example) if kind == "chat" else _segments(index, example)


def asked(data: Path) -> list[str]:
    """Each held-out example's prompt as text for a reader, by the example's index; `data` is what `format` made."""
    kind = json.loads((data / "report.json").read_text())["kind"]
    return [_text(prompt) for prompt in prompts(data / "held_out.jsonl", kind)]


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


def _chat(index: int, example: dict[str, Any]) -> Prompt:
    messages = example["messages"]
    last = max(place for place, message in enumerate(messages) if message["role"] == "assistant")
    return Prompt(
        index, example["place"], messages[last].get("content") or "", messages[:last], example.get("tools") or ()
    )


def _segments(index: int, example: dict[str, Any]) -> Prompt:
    segments = example["segments"]
    last = max(place for place, segment in enumerate(segments) if segment["label"])
    return Prompt(
        index, example["place"], segments[last]["text"], segments=[segment["text"] for segment in segments[:last]]
    )
