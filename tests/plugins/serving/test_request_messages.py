"""Messages of requests as a chat template gets them."""

from __future__ import annotations

from typing import Any

import pytest

from ftrun_plugins.serving.request_messages import read_message


def call(arguments: Any) -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": "porch", "arguments": arguments}}


@pytest.mark.parametrize(
    ("message", "read"),
    [
        ({"role": "user", "content": "Who?"}, {"role": "user", "content": "Who?"}),
        ({"role": "assistant", "content": None}, {"role": "assistant", "content": ""}),
        (
            {"role": "user", "content": [{"type": "text", "text": "Who?"}, {"type": "text", "text": "When?"}]},
            {"role": "user", "content": "Who?\nWhen?"},
        ),
        (
            {"role": "assistant", "content": "I look.", "tool_calls": [call('{"side": "leeward"}')]},
            {"role": "assistant", "content": "I look.", "tool_calls": [call({"side": "leeward"})]},
        ),
        (
            {"role": "assistant", "tool_calls": [call("")]},
            {"role": "assistant", "content": "", "tool_calls": [call({})]},
        ),
        (
            {"role": "tool", "tool_call_id": "c1", "name": "porch", "content": "A glazier."},
            {"role": "tool", "tool_call_id": "c1", "name": "porch", "content": "A glazier."},
        ),
        (
            {"role": "assistant", "content": "Ada.", "reasoning": "It is noon."},
            {"role": "assistant", "content": "Ada.", "reasoning_content": "It is noon."},
        ),
        (
            {"role": "assistant", "content": "Ada.", "reasoning_content": "It is noon."},
            {"role": "assistant", "content": "Ada.", "reasoning_content": "It is noon."},
        ),
    ],
)
def test_what_the_template_gets(message: dict[str, Any], read: dict[str, Any]) -> None:
    assert read_message(message) == read


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
        {"role": "assistant", "tool_calls": [call("{side: leeward}")]},
    ],
)
def test_what_cannot_be_rendered(message: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"type|Expecting"):
        read_message(message)
