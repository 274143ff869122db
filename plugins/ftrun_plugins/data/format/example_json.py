"""Encoding of examples as lines of JSON, with a final check of the object that the formatter returned."""

from __future__ import annotations

from typing import Any

import orjson

from ftrun.api.rows import Chat, Row, Segments, Text

MOST_BYTES = 64_000_000  # per example; longer than any context window
SEQUENCES = (list, tuple)
KINDS: dict[type[Any], str] = {Chat: "chat", Segments: "segments", Text: "text"}


def encode(example: object, place: str) -> bytes:
    """Return an example as one line of JSON.

    Raises:
        ValueError: If it is not an example that can be trained on. The message is the reason.
    """
    if isinstance(example, Chat):
        values = _check_chat(example)
    elif isinstance(example, Segments):
        values = _check_segments(example)
    elif isinstance(example, Text):
        if not isinstance(example.text, str) or not example.text:
            raise ValueError("`text` must be a string that is not empty")
        values = {"text": example.text}
    else:
        raise ValueError(f"the formatter returned {type(example).__name__}, not an example")
    return _dump({"place": place, **values})


def encode_row(row: Row) -> bytes:
    """Return a raw row as one line of JSON.

    Raises:
        ValueError: If the row holds a value that JSON does not have.
    """
    return _dump(row.values)


def kind_of(example: object) -> str:
    """Return `chat`, `segments` or `text`."""
    return KINDS.get(type(example)) or next(kind for cls, kind in KINDS.items() if isinstance(example, cls))


def _check_chat(example: Chat) -> dict[str, Any]:
    messages = example.messages
    has_answer, is_valid = False, isinstance(messages, SEQUENCES)
    for message in messages if is_valid else ():
        role = message.get("role") if isinstance(message, dict) else None
        is_valid = is_valid and isinstance(role, str)
        has_answer = has_answer or role == "assistant"
    if not is_valid:
        raise ValueError("`messages` must be a list of objects with a string `role`")
    if not has_answer:
        raise ValueError("`messages` has no message with the role `assistant`")
    if not example.tools:
        return {"messages": messages}
    if not isinstance(example.tools, list | tuple):
        raise ValueError("`tools` must be a list")
    return {"messages": messages, "tools": example.tools}


def _check_segments(example: Segments) -> dict[str, Any]:
    if not isinstance(example.segments, list | tuple) or not all(map(_is_segment, example.segments)):
        raise ValueError("`segments` must be a list of pairs: a string, and a boolean that is true if it is trained on")
    if not any(text and trained for text, trained in example.segments):
        raise ValueError("`segments` has no string that is trained on")
    return {"segments": [{"text": text, "label": trained} for text, trained in example.segments]}


def _is_segment(segment: Any) -> bool:
    return (
        isinstance(segment, list | tuple)
        and len(segment) == 2
        and isinstance(segment[0], str)
        and isinstance(segment[1], bool)
    )


def _dump(values: Any) -> bytes:
    try:
        line = orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"a value cannot be written as JSON: {error}") from error
    if len(line) > MOST_BYTES:
        raise ValueError(f"the line of JSON has {len(line) // 1_000_000} MB, more than {MOST_BYTES // 1_000_000} MB")
    return line
