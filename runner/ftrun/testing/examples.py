"""What makes an example one that can be trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ftrun.api.rows import Chat, Rejected, Segments, Text
from ftrun.testing.component import assert_one_line


def assert_outcome(outcome: Any) -> None:
    """What a formatter may return: an example, or a rejection with a reason."""
    if isinstance(outcome, Rejected):
        assert_one_line(outcome.reason, "the reason")
        assert not outcome.reason.endswith("."), f"the reason ends in a full stop: {outcome.reason!r}"
    else:
        assert_example(outcome)


def assert_example(example: Any) -> None:
    """Something in it is trained on, and all of it can be written as JSON."""
    match example:
        case Chat(messages=messages, tools=tools):
            assert all(isinstance(message, Mapping) for message in messages), f"a message is no mapping: {messages!r}"
            roles = [message.get("role") for message in messages]
            assert all(isinstance(role, str) for role in roles), f"a message has no role: {messages!r}"
            assert "assistant" in roles, f"nobody answers: {messages!r}"
            orjson.dumps([list(messages), list(tools)])
        case Segments(segments=segments):
            assert all(isinstance(text, str) and isinstance(trained, bool) for text, trained in segments)
            assert any(text and trained for text, trained in segments), f"nothing is trained on: {segments!r}"
            orjson.dumps([text for text, _ in segments])
        case Text(text=text):
            assert isinstance(text, str)
            assert text, "the text is empty"
            orjson.dumps(text)
        case _:
            raise AssertionError(f"it returned {type(example).__name__}, neither an example nor `Rejected`")
