"""Selection of the part of a tokenized row on which two models are compared: its end, with the trained answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any


@dataclass(frozen=True)
class Window:
    """Tokens that a model reads, and the positions of the trained tokens among them. There is at least one position.

    A model predicts a token from those before it, so no position is 0.
    """

    ids: Sequence[int]
    places: Sequence[int]

    @property
    def compared(self) -> list[int]:
        """Token ids of the trained tokens."""
        return [self.ids[place] for place in self.places]


def window(ids: Sequence[int], labels: Sequence[int], most: int) -> Window | None:
    """Return at most `most` tokens that end with the last trained token. None if no predicted token is trained.

    The first token of a row is kept even if the row is cut. Without their begin token, models such as Gemma predict
    noise, in which two equal models seem to differ.

    Args:
        ids: Token ids of the row.
        labels: Ids of the trained tokens, and a negative number for each other token. As long as `ids`.
        most: Maximum number of tokens, at least 2.
    """
    end = max((place + 1 for place, label in enumerate(labels) if label >= 0), default=0)
    if end < 2:
        return None
    start = max(1, end - (most - 1))
    places = [place - start + 1 for place in range(start, end) if labels[place] >= 0]
    return Window([ids[0], *ids[start:end]], places)


def windows(rows: Iterable[Mapping[str, Any]], most_rows: int, most_tokens: int) -> list[Window]:
    """Return the windows of the first rows that have a window. Rows contain `ids` and `labels`."""
    candidates = (window(row["ids"], row["labels"], most_tokens) for row in rows)
    return list(islice((candidate for candidate in candidates if candidate is not None), most_rows))
