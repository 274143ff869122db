"""Output of an engine for one prompt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """Answer of a model as token ids.

    Args:
        index: The index of the prompt.
        ids: The token ids of the answer, without the stop token.
        stopped: True if the model ended the answer, false if the maximum length did.
        error: Why the engine cannot answer the prompt, or None.
    """

    index: int
    ids: list[int]
    stopped: bool
    error: str | None = None
