"""Decides which rows are held out: by a digest of their content, whatever their order and number."""

from __future__ import annotations

import hashlib

import orjson

from ftrun.api.recipe import Split
from ftrun.api.rows import Row


class Splitter:
    """Equal rows, or rows equal in the field `by`, fall on the same side; another seed draws anew."""

    def __init__(self, split: Split) -> None:
        self._by = split.by
        self._bound = int(split.held_out * 2**64)
        self._start = hashlib.blake2b(f"{split.seed}\n".encode(), digest_size=8)

    def is_held_out(self, row: Row) -> bool:
        """Raises `ValueError` where the row lacks the field `by`."""
        if not self._bound:
            return False
        digest = self._start.copy()
        digest.update(self._content(row))
        return int.from_bytes(digest.digest(), "big") < self._bound

    def _content(self, row: Row) -> bytes:
        if self._by is None:
            value: object = row.values
        elif self._by in row.values:
            value = row.values[self._by]
        else:
            raise ValueError(f"there is no column `{self._by}`, which dataset.split.by names")
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError as error:
            raise ValueError(f"it cannot be written as JSON: {error}") from error
