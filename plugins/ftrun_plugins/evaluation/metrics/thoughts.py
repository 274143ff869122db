"""Thoughts of reasoning models before their answers."""

from __future__ import annotations

OPEN, CLOSE = "<think>", "</think>"


def remove_thoughts(answer: str) -> str:
    """Return an answer without the block of thoughts at its beginning. A block that does not end leaves no answer.

    The prompt may have opened the block.
    """
    before, close, rest = answer.rpartition(CLOSE)
    if close and (before.lstrip().startswith(OPEN) or OPEN not in before):
        return rest
    return "" if answer.lstrip().startswith(OPEN) else answer
