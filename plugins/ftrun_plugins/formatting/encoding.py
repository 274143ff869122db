"""Writes an example as one line of JSON, after a last look at what the formatter made."""

from __future__ import annotations

from typing import Any

import orjson

from ftrun.examples import Chat, Row, Segments, Text

KINDS: dict[type[Any], str] = {Chat: "chat", Segments: "segments", Text: "text"}


def encode(example: object, place: str) -> bytes:
    """The example's line. Raises `ValueError` with the reason where it is none that can be trained on."""
    if isinstance(example, Chat):
        values = _chat(example)
    elif isinstance(example, Segments):
        values = _segments(example)
    elif isinstance(example, Text):
        if not example.text:
            raise ValueError("the example has no text")
        values = {"text": example.text}
    else:
        raise ValueError(f"the formatter returned {type(example).__name__}, not an example")
    return _line({"place": place, **values})


def encode_row(row: Row) -> bytes:
    """The raw row's line. Raises `ValueError` where it holds what JSON has not."""
    return _line(row.values)


def _chat(example: Chat) -> dict[str, Any]:
    if not any(message.get("role") == "assistant" for message in example.messages):
        raise ValueError("the example has no assistant message")
    return {"messages": example.messages, "tools": example.tools} if example.tools else {"messages": example.messages}


def _segments(example: Segments) -> dict[str, Any]:
    if not any(text and trained for text, trained in example.segments):
        raise ValueError("the example has no text that is trained on")
    return {"segments": [{"text": text, "label": trained} for text, trained in example.segments]}


def _line(values: Any) -> bytes:
    try:
        return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"it cannot be written as JSON: {error}") from error
