"""Selection of held-out and validation rows by a digest of what they ask, independent of the order of the rows."""

from __future__ import annotations

import hashlib

import orjson

from ftrun.api import artifacts
from ftrun.api.recipe import Split
from ftrun.api.rows import Row
from ftrun_plugins.data.format.example_texts import content, parts_of, question
from ftrun_plugins.data.format.normalized_text import normalize_text


class Splitter:
    """Split of rows into those for training, those for validation and those that are held out.

    Rows with the same question, or with equal values in the column `by`, are on the same side. The question is that of
    the example in its normalized form, so columns that the formatter does not read change nothing. Another seed gives
    another split. Held-out rows stay the same with another share of validation rows.
    """

    def __init__(self, split: Split) -> None:
        self._by = split.by
        self._text = {"question": question, "example": content}[split.group]
        self._held_out = int(split.held_out * 2**64)
        self._validation = int((split.held_out + split.validation) * 2**64)
        self._start = hashlib.blake2b(f"{split.seed}\n".encode(), digest_size=8)

    def side(self, row: Row, example: object) -> artifacts.Split:
        """Return the split to which a row belongs.

        Raises:
            ValueError: If the row lacks the column `by`, or cannot be written as JSON.
        """
        if not self._validation:
            return "train"
        digest = self._start.copy()
        digest.update(normalize_text(self._text(parts_of(example))) if self._by is None else _serialize(row, self._by))
        number = int.from_bytes(digest.digest(), "big")
        return "held_out" if number < self._held_out else "validation" if number < self._validation else "train"


def _serialize(row: Row, column: str) -> bytes:
    if column not in row.values:
        raise ValueError(f"there is no column `{column}`, but `dataset.split.by` names it")
    try:
        return orjson.dumps(row.values[column], option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"a value cannot be written as JSON: {error}") from error
