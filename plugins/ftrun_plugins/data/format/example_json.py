"""Writes an example as one line of JSON, after a last look at what the formatter made."""

from __future__ import annotations

from typing import Any

import orjson

from ftrun.api.rows import Chat, Row, Segments, Text

MOST_BYTES = 64_000_000  # of one example, longer than any context window
KINDS: dict[type[Any], str] = {Chat: "chat", Segments: "segments", Text: "text"}


def encode(example: object, place: str) -> bytes:
    """The example's line. Raises `ValueError` with the reason where it is none that can be trained on."""
    if isinstance(example, Chat):
        values = _chat(example)
    elif isinstance(example, Segments):
        values = _segments(example)
    elif isinstance(example, Text):
        if not isinstance(example.text, str) or not example.text:
            raise ValueError("the example has no text")
        values = {"text": example.text}
    else:
        raise ValueError(f"the formatter returned {type(example).__name__}, not an example")
    return _line({"place": place, **values})


def encode_row(row: Row) -> bytes:
    """The raw row's line. Raises `ValueError` where it holds what JSON has not."""
    return _line(row.values)


def kind_of(example: object) -> str:
    """`chat`, `segments` or `text`."""
    return next(kind for cls, kind in KINDS.items() if isinstance(example, cls))


def _chat(example: Chat) -> dict[str, Any]:
    messages = example.messages
    roles = [_role(message) for message in messages] if isinstance(messages, list | tuple) else [None]
    if None in roles:
        raise ValueError("the example's messages are no list of objects with a text as role")
    if "assistant" not in roles:
        raise ValueError("the example has no assistant message")
    if not example.tools:
        return {"messages": messages}
    if not isinstance(example.tools, list | tuple):
        raise ValueError("the example's tools are no list")
    return {"messages": messages, "tools": example.tools}


def _role(message: Any) -> str | None:
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) else None


def _segments(example: Segments) -> dict[str, Any]:
    if not isinstance(example.segments, list | tuple) or not all(map(_is_segment, example.segments)):
        raise ValueError("the example's segments are no list of pairs: a text, and whether it is trained on")
    if not any(text and trained for text, trained in example.segments):
        raise ValueError("the example has no text that is trained on")
    return {"segments": [{"text": text, "label": trained} for text, trained in example.segments]}


def _is_segment(segment: Any) -> bool:
    return (
        isinstance(segment, list | tuple)
        and len(segment) == 2
        and isinstance(segment[0], str)
        and isinstance(segment[1], bool)
    )


def _line(values: Any) -> bytes:
    try:
        line = orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"it cannot be written as JSON: {error}") from error
    if len(line) > MOST_BYTES:
        raise ValueError(f"it has {len(line) // 1_000_000} MB as JSON, more than {MOST_BYTES // 1_000_000}")
    return line
