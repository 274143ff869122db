"""Clusters of held-out rows: rows that belong together, so that their scores are not independent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ftrun.api.artifacts import ExampleRow, FormattedRows
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.prompts import make_prompt

MOST_COLUMNS = 20  # shown in an error


class Clusters:
    """Clusters of the held-out rows of a dataset."""

    def __init__(self, data: FormattedRows, group_columns: Sequence[str]) -> None:
        self._rows = list(data.held_out_source_rows())
        examples = list(data.examples("held_out"))
        prompts = [_digest(_prompt(example)) for example in examples]
        # If all rows ask the same, as prompts for free texts do, only equal rows belong together.
        self._prompts = prompts if len(set(prompts)) > 1 else [_digest(_content(example)) for example in examples]
        self._group_columns = group_columns

    def by_default(self) -> list[str]:
        """Return the cluster of each row: its value in a column that groups rows, else its prompt.

        Equal rows have the same prompt, and so have several answers to one question.
        """
        return [self._find(row, prompt) for row, prompt in zip(self._rows, self._prompts, strict=True)]

    def by_column(self, column: str, place: str) -> list[str]:
        """Return the value of each row in a column. A row without the column is a cluster of one row.

        Raises:
            InvalidInput: If no row has the column.
        """
        if not any(column in row for row in self._rows):
            columns = list(dict.fromkeys(name for row in self._rows for name in row))[:MOST_COLUMNS]
            what = f"no held-out row has the column `{column}`"
            raise InvalidInput(Problem("unknown-column", what, place, expected=", ".join(columns) or None))
        return [_digest(row[column]) if column in row else f"row {number}" for number, row in enumerate(self._rows)]

    def _find(self, row: Mapping[str, Any], prompt: str) -> str:
        column = next((column for column in self._group_columns if row.get(column) is not None), None)
        return prompt if column is None else f"{column} {_digest(row[column])}"


def _prompt(example: ExampleRow) -> Any:
    if "text" in example:
        return example["text"]
    prompt = make_prompt(0, example)
    return [list(prompt.messages), list(prompt.tools), list(prompt.segments)]


def _content(example: ExampleRow) -> Any:
    return {key: value for key, value in example.items() if key != "place"}


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=12).hexdigest()
