"""Assertions on examples: they can be trained on and written as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ftrun.api.rows import Chat, Rejected, Segments, Text
from ftrun.testing.component import assert_one_line


def assert_outcome(outcome: Any) -> None:
    """Assert that the outcome of a formatter is a valid example, or a rejection with a valid reason."""
    if isinstance(outcome, Rejected):
        assert_one_line(outcome.reason, "the reason")
        assert not outcome.reason.endswith("."), f"the reason ends with a full stop: {outcome.reason!r}"
    else:
        assert_example(outcome)


def assert_example(example: Any) -> None:
    """Assert that an example has trained content and can be written as JSON."""
    match example:
        case Chat(messages=messages, tools=tools):
            assert all(isinstance(message, Mapping) for message in messages), (
                f"a message is not a mapping: {messages!r}"
            )
            roles = [message.get("role") for message in messages]
            assert all(isinstance(role, str) for role in roles), f"a message has no role: {messages!r}"
            assert "assistant" in roles, f"no message has the role `assistant`: {messages!r}"
            orjson.dumps([list(messages), list(tools)])
        case Segments(segments=segments):
            assert all(isinstance(text, str) and isinstance(trained, bool) for text, trained in segments)
            assert any(text and trained for text, trained in segments), f"no segment is trained: {segments!r}"
            orjson.dumps([text for text, _ in segments])
        case Text(text=text):
            assert isinstance(text, str)
            assert text, "the text is empty"
            orjson.dumps(text)
        case _:
            raise AssertionError(f"it returned {type(example).__name__}, which is neither an example nor `Rejected`")
