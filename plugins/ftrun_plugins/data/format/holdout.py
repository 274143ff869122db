"""Selection of held-out rows by a digest of what they ask, independent of the order and the number of rows."""

from __future__ import annotations

import hashlib

import orjson

from ftrun.api.recipe import Split
from ftrun.api.rows import Row
from ftrun_plugins.data.format.example_texts import content, parts_of, question
from ftrun_plugins.data.format.normalized_text import normalize_text


class Splitter:
    """Split of rows into those for training and those that are held out.

    Rows with the same question, or with equal values in the column `by`, are on the same side. The question is that of
    the example in its normalized form, so columns that the formatter does not read change nothing. Another seed gives
    another split.
    """

    def __init__(self, split: Split) -> None:
        self._by = split.by
        self._text = {"question": question, "example": content}[split.group]
        self._bound = int(split.held_out * 2**64)
        self._start = hashlib.blake2b(f"{split.seed}\n".encode(), digest_size=8)

    def is_held_out(self, row: Row, example: object) -> bool:
        """Return True if a row is held out.

        Raises:
            ValueError: If the row lacks the column `by`, or cannot be written as JSON.
        """
        if not self._bound:
            return False
        digest = self._start.copy()
        digest.update(normalize_text(self._text(parts_of(example))) if self._by is None else _serialize(row, self._by))
        return int.from_bytes(digest.digest(), "big") < self._bound


def _serialize(row: Row, column: str) -> bytes:
    if column not in row.values:
        raise ValueError(f"there is no column `{column}`, but `dataset.split.by` names it")
    try:
        return orjson.dumps(row.values[column], option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"a value cannot be written as JSON: {error}") from error
