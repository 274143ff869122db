"""Selection of held-out rows by a digest of their content, independent of the order and the number of rows."""

from __future__ import annotations

import hashlib

import orjson

from ftrun.api.recipe import Split
from ftrun.api.rows import Row


class Splitter:
    """Split of rows into those for training and those that are held out.

    Rows that are equal, or that have equal values in the column `by`, are on the same side. Another seed gives another
    split.
    """

    def __init__(self, split: Split) -> None:
        self._by = split.by
        self._bound = int(split.held_out * 2**64)
        self._start = hashlib.blake2b(f"{split.seed}\n".encode(), digest_size=8)

    def is_held_out(self, row: Row) -> bool:
        """Return True if a row is held out.

        Raises:
            ValueError: If the row lacks the column `by`, or cannot be written as JSON.
        """
        if not self._bound:
            return False
        digest = self._start.copy()
        digest.update(self._serialize(row))
        return int.from_bytes(digest.digest(), "big") < self._bound

    def _serialize(self, row: Row) -> bytes:
        if self._by is None:
            value: object = row.values
        elif self._by in row.values:
            value = row.values[self._by]
        else:
            raise ValueError(f"there is no column `{self._by}`, but `dataset.split.by` names it")
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError as error:
            raise ValueError(f"a value cannot be written as JSON: {error}") from error
