"""What an engine gives back for a prompt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """Token ids of an answer, without the one that ended it; `stopped` where the model ended it by itself."""

    index: int
    ids: list[int]
    stopped: bool
