"""Search for texts of a conversation that its chat template leaves out.

Many templates do so on purpose: some have no place for a system prompt, some drop the thoughts of earlier answers, and
some trim white space. The model then learns from less than the rows hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

THOUGHTS_END = "</think>"
SUBJECTS = {
    "system": "system prompts",
    "developer": "developer messages",
    "user": "user messages",
    "assistant": "answers of the assistant",
    "tool": "answers of tools",
}


def find_losses(messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], text: str) -> set[str]:
    """Return the kinds of content that a rendered conversation lacks, such as `system prompts`.

    Args:
        messages: The conversation in the format of OpenAI.
        tools: The tools that it declares.
        text: The conversation as the chat template renders it.
    """
    losses = {loss for message in messages for loss in _find_message_losses(message, text)}
    if any(str(_function(tool).get("name", "")) not in text for tool in tools):
        losses.add("definitions of tools")
    return losses


def _function(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    function: Mapping[str, Any] = tool.get("function") or tool
    return function


def _find_message_losses(message: Mapping[str, Any], text: str) -> Iterator[str]:
    role, content = str(message.get("role")), message.get("content")
    if isinstance(content, str) and not _is_rendered(content, text):
        if content.strip() and _is_rendered(content.strip(), text):
            yield f"white space at the ends of {SUBJECTS.get(role, role)}"
        elif role == "assistant" and THOUGHTS_END in content and content.rpartition(THOUGHTS_END)[2].strip() in text:
            yield "thoughts of the assistant"
        else:
            yield SUBJECTS.get(role, f"messages with the role {role}")
    thoughts = message.get("reasoning_content")
    if isinstance(thoughts, str) and thoughts.strip() not in text:
        yield "thoughts of the assistant"


def _is_rendered(content: str, text: str) -> bool:
    """Return True if the text contains the content, also as a JSON string: some templates write tools' answers so."""
    return content in text or any(
        json.dumps(content, ensure_ascii=ascii_only)[1:-1] in text for ascii_only in (False, True)
    )
