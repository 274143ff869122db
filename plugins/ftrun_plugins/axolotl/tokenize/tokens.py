"""Tokens of a row, and the result of its checks."""

from __future__ import annotations

from dataclasses import dataclass

IGNORED = -100  # label of a token that is not trained


@dataclass(frozen=True)
class Tokens:
    """Tokens of one row.

    Attributes:
        ids: Token ids.
        labels: The id of each trained token, and -100 for each other token.
        cut: True if the end of the row was cut off.
        fault: Reason why the row has no tokens, or None.
        losses: Kinds of content of the row that the chat template leaves out.
        is_excessive: True if the template ran out of time or memory, so that further rows would take too long.
    """

    ids: list[int]
    labels: list[int]
    cut: bool = False
    fault: str | None = None
    losses: frozenset[str] = frozenset()
    is_excessive: bool = False


@dataclass(frozen=True)
class RowOutcome:
    """Result of the checks of a row.

    Attributes:
        tokens: Tokens of the row, after it was cut.
        dropped: True if the row is too long and is dropped.
        problem: Reason why the row must stop the run, or None.
    """

    tokens: Tokens
    dropped: bool = False
    problem: str | None = None
