"""Texts of an example that decide whether two examples ask the same: its question, its parts and its whole content.

The *question* is everything before the first answer. Rows with the same question belong together: other answers to it,
other spellings of it, and longer pieces of the same conversation. A text without a prompt is its own question.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

import orjson

from ftrun.api.rows import Chat, Segments, Text

INSTRUCTIONS = ("system", "developer")  # roles of messages that many rows share
Part = tuple[str, str, bool]  # role, text, and true if it is an answer


def parts_of(example: object) -> list[Part]:
    """Return the parts of an example in order."""
    if isinstance(example, Chat):
        return _read_messages(example.messages)
    if isinstance(example, Segments):
        return [("", text, trained) for text, trained in example.segments]
    assert isinstance(example, Text)
    return [("", example.text, True)]


def parts_of_line(line: Mapping[str, Any]) -> list[Part]:
    """Return the parts of an example that was read from a file of the artifact."""
    if "messages" in line:
        return _read_messages(line["messages"])
    if "segments" in line:
        return [("", segment["text"], segment["label"]) for segment in line["segments"]]
    return [("", line["text"], True)]


def question(parts: Sequence[Part]) -> str:
    """Return everything before the first answer, or the whole content if there is nothing before it."""
    return _join(takewhile(lambda part: not part[2], parts)).strip() or content(parts)


def content(parts: Sequence[Part]) -> str:
    """Return the whole content."""
    return _join(parts)


def _join(parts: Iterable[Part]) -> str:
    return "\n".join(text for _, text, _ in parts)


def _read_messages(messages: Sequence[Mapping[str, Any]]) -> list[Part]:
    return [(message["role"], _text_of(message), message["role"] == "assistant") for message in messages]


def _text_of(message: Mapping[str, Any]) -> str:
    """Return the text of a message, with its tool calls as JSON."""
    text = message.get("content")
    if not isinstance(text, str):
        text = " ".join(_texts_in(text))
    calls = [call.get("function", call) for call in message.get("tool_calls") or () if isinstance(call, Mapping)]
    return text + orjson.dumps(calls, option=orjson.OPT_SORT_KEYS, default=str).decode() if calls else text


def _texts_in(value: Any) -> Iterator[str]:
    """Yield the texts of a content that is a list of parts, with addresses of images."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key != "type":
                yield from _texts_in(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _texts_in(inner)
