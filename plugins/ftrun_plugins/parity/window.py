"""Selects the part of a tokenized row by which two models are compared: its end, where the trained answer is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any


@dataclass(frozen=True)
class Window:
    """Tokens that a model reads, and the places of the trained ones among them. There is at least one place.

    A model predicts the token at a place from those before it, so no place is 0.
    """

    ids: Sequence[int]
    places: Sequence[int]

    @property
    def compared(self) -> list[int]:
        """Return the ids of the trained tokens."""
        return [self.ids[place] for place in self.places]


def window(ids: Sequence[int], labels: Sequence[int], most: int) -> Window | None:
    """Return at most `most` tokens that end with the last trained one; None if the row trains no predicted token.

    The row's first token stays in front of a row that is cut: without their begin token models such as Gemma predict
    noise, in which two equal models seem to differ.

    Args:
        ids: Token ids of the row.
        labels: Ids of the trained tokens, and a negative number elsewhere; as long as `ids`.
        most: Number of tokens, at least 2.
    """
    end = max((place + 1 for place, label in enumerate(labels) if label >= 0), default=0)
    if end < 2:
        return None
    start = max(1, end - (most - 1))
    places = [place - start + 1 for place in range(start, end) if labels[place] >= 0]
    return Window([ids[0], *ids[start:end]], places)


def windows(rows: Iterable[Mapping[str, Any]], most_rows: int, most_tokens: int) -> list[Window]:
    """Return the windows of the first rows that have one; rows hold `ids` and `labels`."""
    found = (window(row["ids"], row["labels"], most_tokens) for row in rows)
    return list(islice((one for one in found if one is not None), most_rows))
