"""Tokenized row as pieces of text: trained or not, special or not, cut or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any


@dataclass(frozen=True)
class Piece:
    """Text of neighbouring tokens of one kind."""

    text: str
    tokens: int
    trained: bool
    special: bool
    beyond: bool  # after `sequence_len`


@dataclass(frozen=True)
class TokenizedRow:
    """A row with its tokens and labels."""

    place: str
    split: str
    ids: tuple[int, ...]
    labels: tuple[int, ...]
    pieces: tuple[Piece, ...]  # mostly one token each
    sequence_len: int
    dropped: bool  # because it is too long
    problem: str | None  # error that would stop a run
    losses: tuple[str, ...] = ()  # kinds of content that the chat template leaves out

    @classmethod
    def from_answer(cls, row: dict[str, Any], split: str, sequence_len: int) -> TokenizedRow:
        """Return a row of the answer of the tokenizer process."""
        pieces = tuple(_make_pieces(row["pieces"], sequence_len))
        return cls(
            row["place"],
            split,
            tuple(row["ids"]),
            tuple(row["labels"]),
            pieces,
            sequence_len,
            row["dropped"],
            row["problem"],
            tuple(row.get("losses", ())),
        )

    @property
    def tokens(self) -> int:
        """Number of tokens."""
        return len(self.ids)

    @property
    def too_many(self) -> int:
        """Number of tokens after `sequence_len`."""
        return max(0, self.tokens - self.sequence_len)

    @property
    def trained(self) -> int:
        """Number of trained tokens: 0 for a dropped row, and none after `sequence_len`."""
        return 0 if self.dropped else sum(label >= 0 for label in self.labels[: self.sequence_len])

    @property
    def counts(self) -> str:
        """Numbers of tokens as text."""
        return f"{self.tokens:,} tokens, {self.trained:,} trained"

    def remarks(self) -> Iterator[str]:
        """Yield the problems of the row."""
        if self.dropped:
            yield f"too long by {self.too_many:,} tokens for sequence_len {self.sequence_len:,}: it is dropped"
        elif self.too_many:
            yield f"too long for sequence_len {self.sequence_len:,}: the last {self.too_many:,} tokens are cut"
        if self.problem:
            yield f"a run stops here: {self.problem}"
        for loss in self.losses:
            yield f"the chat template leaves out {loss}"

    def runs(self) -> Iterator[Piece]:
        """Yield neighbouring pieces of one kind as one piece, and each special token separately."""
        for kind, group in groupby(enumerate(self.pieces), key=lambda item: _kind(*item)):
            pieces = [piece for _, piece in group]
            yield Piece("".join(piece.text for piece in pieces), sum(piece.tokens for piece in pieces), *kind[:3])

    def as_dict(self) -> dict[str, Any]:
        """Return the row for `--json`."""
        return {
            "place": self.place,
            "split": self.split,
            "tokens": self.tokens,
            "trained_tokens": self.trained,
            "too_many": self.too_many,
            "dropped": self.dropped,
            "problem": self.problem,
            "losses": list(self.losses),
            "ids": list(self.ids),
            "labels": list(self.labels),
            "pieces": [vars(piece) for piece in self.pieces],
        }


def _kind(place: int, piece: Piece) -> tuple[bool, bool, bool, int]:
    return piece.trained, piece.special, piece.beyond, place if piece.special else -1


def _make_pieces(answer: list[Any], sequence_len: int) -> Iterator[Piece]:
    before = 0
    for tokens, text, trained, special in answer:
        yield Piece(text, tokens, trained, special, beyond=before + tokens > sequence_len)
        before += tokens
