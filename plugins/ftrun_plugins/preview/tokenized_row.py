"""A row as the model will see it: pieces of text, each trained or not, special or not, cut or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any


@dataclass(frozen=True)
class Piece:
    """Tokens that are of one kind, with their text."""

    text: str
    tokens: int
    trained: bool
    special: bool
    beyond: bool  # behind `sequence_len`


@dataclass(frozen=True)
class TokenizedRow:
    """One row."""

    place: str
    split: str
    ids: tuple[int, ...]
    labels: tuple[int, ...]
    pieces: tuple[Piece, ...]  # mostly of one token
    sequence_len: int
    dropped: bool  # for it is too long
    problem: str | None  # why it would stop a run

    @classmethod
    def of(cls, row: dict[str, Any], split: str, sequence_len: int) -> TokenizedRow:
        pieces = tuple(_pieces(row["pieces"], sequence_len))
        return cls(
            row["place"],
            split,
            tuple(row["ids"]),
            tuple(row["labels"]),
            pieces,
            sequence_len,
            row["dropped"],
            row["problem"],
        )

    @property
    def tokens(self) -> int:
        return len(self.ids)

    @property
    def too_many(self) -> int:
        """Tokens behind `sequence_len`."""
        return max(0, self.tokens - self.sequence_len)

    @property
    def trained(self) -> int:
        """Tokens that are trained on: none of a row that is dropped, none behind `sequence_len`."""
        return 0 if self.dropped else sum(label >= 0 for label in self.labels[: self.sequence_len])

    @property
    def counts(self) -> str:
        return f"{self.tokens:,} tokens, {self.trained:,} trained"

    def remarks(self) -> Iterator[str]:
        """What is the matter with it, in full sentences for a person."""
        if self.dropped:
            yield f"too long by {self.too_many:,} tokens for sequence_len {self.sequence_len:,}: it is dropped"
        elif self.too_many:
            yield f"too long for sequence_len {self.sequence_len:,}: the last {self.too_many:,} tokens are cut"
        if self.problem:
            yield f"a run stops here: {self.problem}"

    def runs(self) -> Iterator[Piece]:
        """Neighbours of one kind as one piece; each special token alone."""
        for kind, group in groupby(enumerate(self.pieces), key=lambda one: _kind(*one)):
            found = [piece for _, piece in group]
            yield Piece("".join(piece.text for piece in found), sum(piece.tokens for piece in found), *kind[:3])

    def as_dict(self) -> dict[str, Any]:
        return {
            "place": self.place,
            "split": self.split,
            "tokens": self.tokens,
            "trained_tokens": self.trained,
            "too_many": self.too_many,
            "dropped": self.dropped,
            "problem": self.problem,
            "ids": list(self.ids),
            "labels": list(self.labels),
            "pieces": [vars(piece) for piece in self.pieces],
        }


def _kind(place: int, piece: Piece) -> tuple[bool, bool, bool, int]:
    return piece.trained, piece.special, piece.beyond, place if piece.special else -1


def _pieces(found: list[Any], sequence_len: int) -> Iterator[Piece]:
    before = 0
    for tokens, text, trained, special in found:
        yield Piece(text, tokens, trained, special, beyond=before + tokens > sequence_len)
        before += tokens
