"""Index of held-out rows that finds those which a training row repeats, in about 8 kB per held-out row of 1 kB.

Two rows overlap in one of these ways, from the worst one:

    equal         the whole content is equal in its normalized form
    question      the prompts of the last answers are equal
    conversation  one row is the beginning of the other
    near          at least 80 % of their shingles, which are runs of 3 words, are the same (Jaccard similarity)
    passage       they share a run of 13 words, or of 8 words if one of them is short

Rows that are nearly equal share long runs of words. So the index holds runs of 8 words of the held-out rows, at
distances at which each run of 13 words contains one of them. The similarity is then computed, not estimated. Shingles
that many rows contain, such as those of a fixed instruction, count in none of this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any, Literal

from ftrun_plugins.data.format.example_texts import INSTRUCTIONS, parts_of_line
from ftrun_plugins.data.format.normalized_text import normalized_words

Kind = Literal["equal", "question", "conversation", "near", "passage"]
KINDS: tuple[Kind, ...] = ("equal", "question", "conversation", "near", "passage")
NEAR = 0.8  # similarity
PASSAGE, SHORT_PASSAGE = 13, 8  # words
SHORT_ROW = 2 * PASSAGE  # words
DISTANCE = PASSAGE - SHORT_PASSAGE + 1  # of the runs in the index: a passage contains a complete one
MOST_ROWS_PER_RUN = 8  # bounds time and memory for runs that many held-out rows contain
MOST_CANDIDATES = 3  # held-out rows that are compared with one training row
LEAST_SHARED = 0.25  # share of the runs of a held-out row that a row which is nearly equal has too
MOST_SPLIT_TEXTS = 1000  # in memory
SHINGLE = 3  # words
Words = Sequence[bytes]
Run = tuple[bytes, ...]
Position = tuple[int, int]  # held-out row and word


@dataclass(slots=True)
class Overlap:
    """Overlap of one held-out row: its worst kind, the first training row of that kind, and their number.

    For the kinds `near` and `passage`, the number is 1: one row is enough to know.
    """

    kind: Kind
    place: str
    rows: int = 1


class RowTexts:
    """Normalized texts of one example that are compared."""

    def __init__(self, line: Mapping[str, Any]) -> None:
        self.prompts: list[int] = []  # hashes of what stands before each answer
        self.words: list[bytes] = []  # without instructions
        content, was_answer = b"", False
        for role, text, is_answer in parts_of_line(line):
            words = normalized_words(text)
            if is_answer and not was_answer and content:
                self.prompts.append(hash(content))
            content += b" ".join(words) + b"\n"
            was_answer = is_answer
            if role not in INSTRUCTIONS:
                self.words += words
        self.content = hash(content.replace(b"\n", b" "))


class HeldOutIndex:
    """Held-out rows by what identifies them.

    Args:
        common: Shingles that count in no comparison.
    """

    def __init__(self, common: Collection[Run]) -> None:
        self._common = frozenset(common)
        self._equal: dict[int, list[int]] = {}
        self._last_prompts: dict[int, list[int]] = {}
        self._prompts: dict[int, list[int]] = {}
        self._runs: dict[int, list[Position]] = {}
        self._texts: list[bytes] = []
        self._words = lru_cache(MOST_SPLIT_TEXTS)(self._split_text)
        self.found: dict[int, Overlap] = {}  # by index of the held-out row

    def add(self, texts: RowTexts) -> None:
        """Add the next held-out row."""
        index = len(self._texts)
        self._texts.append(b" ".join(texts.words))
        self._equal.setdefault(texts.content, []).append(index)
        for prompt in texts.prompts:
            self._prompts.setdefault(prompt, []).append(index)
        if texts.prompts:
            self._last_prompts.setdefault(texts.prompts[-1], []).append(index)
        for start in range(0, len(texts.words) - SHORT_PASSAGE + 1, _distance(texts.words)):
            run = tuple(texts.words[start : start + SHORT_PASSAGE])
            if not self._common.issuperset(_runs(run, SHINGLE)):
                positions = self._runs.setdefault(hash(run), [])
                if len(positions) < MOST_ROWS_PER_RUN:
                    positions.append((index, start))

    def compare(self, texts: RowTexts, place: str) -> None:
        """Record the held-out rows that a training row overlaps with."""
        self._record(self._equal.get(texts.content, ()), "equal", place)
        if texts.prompts:
            last = texts.prompts[-1]
            self._record(self._last_prompts.get(last, ()), "question", place)
            self._record(self._prompts.get(last, ()), "conversation", place)
            for prompt in texts.prompts[:-1]:
                self._record(self._last_prompts.get(prompt, ()), "conversation", place)
        if not self._runs.keys().isdisjoint(map(hash, _runs(texts.words, SHORT_PASSAGE))):
            self._compare_words(texts.words, place)

    def _compare_words(self, words: Words, place: str) -> None:
        counts = Counter[int]()  # runs that the rows share, by held-out row
        for start, run in enumerate(map(hash, _runs(words, SHORT_PASSAGE))):
            if run not in self._runs:
                continue
            for index, other_start in self._runs[run]:
                known = self.found.get(index)
                if known is None and self._is_passage(words, start, self._words(index), other_start):
                    self._record((index,), "passage", place)
                if known is None or known.kind == "passage":
                    counts[index] += 1
        shingles = None
        for index, count in counts.most_common(MOST_CANDIDATES):
            other = self._words(index)
            if count >= LEAST_SHARED * len(range(0, len(other) - SHORT_PASSAGE + 1, _distance(other))):
                shingles = shingles or self._shingles(words)
                if _similarity(shingles, self._shingles(other)) >= NEAR:
                    self._record((index,), "near", place)

    def _is_passage(self, words: Words, start: int, other: Words, other_start: int) -> bool:
        """Return True if two equal runs are part of a passage. Most runs of common words are shorter."""
        length = SHORT_PASSAGE
        if min(len(words), len(other)) >= SHORT_ROW:
            before = zip(reversed(words[:start][-DISTANCE:]), reversed(other[:other_start][-DISTANCE:]), strict=False)
            end, other_end = start + length, other_start + length
            after = zip(words[end : end + DISTANCE], other[other_end : other_end + DISTANCE], strict=False)
            length += sum(len(list(takewhile(_are_equal, pairs))) for pairs in (before, after))
        return length >= (SHORT_PASSAGE if min(len(words), len(other)) < SHORT_ROW else PASSAGE)

    def _split_text(self, index: int) -> list[bytes]:
        return self._texts[index].split()

    def _shingles(self, words: Words) -> set[Run]:
        return set(_runs(words, SHINGLE)) - self._common

    def _record(self, indexes: Iterable[int], kind: Kind, place: str) -> None:
        for index in indexes:
            known = self.found.get(index)
            if known is None or KINDS.index(kind) < KINDS.index(known.kind):
                self.found[index] = Overlap(kind, place)
            elif known.kind == kind and known.place != place:
                known.rows += 1


def find_common_shingles(rows: Iterable[RowTexts], share: float) -> set[Run]:
    """Return the shingles that at least a share of the rows contain, and more than three rows."""
    number, counts = 0, Counter[Run]()
    for texts in rows:
        number += 1
        counts.update(set(_runs(texts.words, SHINGLE)))
    return {shingle for shingle, count in counts.items() if count >= max(4, share * number)}


def _runs(words: Words, length: int) -> Iterator[Run]:
    """Yield each run of `length` words."""
    return zip(*(words[start:] for start in range(length)), strict=False)


def _distance(words: Words) -> int:
    """Return the distance between the runs of a held-out row that are in the index."""
    return 1 if len(words) < SHORT_ROW else DISTANCE


def _similarity(shingles: set[Run], others: set[Run]) -> float:
    """Return the Jaccard similarity."""
    shared = len(shingles & others)
    return shared / ((len(shingles) + len(others) - shared) or 1)


def _are_equal(pair: tuple[bytes, bytes]) -> bool:
    return pair[0] == pair[1]
