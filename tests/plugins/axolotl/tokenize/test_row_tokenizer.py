"""Which tokenized rows are refused, without a tokenizer."""

from __future__ import annotations

import pytest

from ftrun_plugins.axolotl.tokenize.row_tokenizer import RowTokenizer
from ftrun_plugins.axolotl.tokenize.tokens import Tokens


@pytest.fixture
def tokenizing() -> RowTokenizer:
    made = object.__new__(RowTokenizer)  # its `__init__` loads a tokenizer
    made._kind, made.sequence_len, made.cuts = "text", 4, True
    return made


@pytest.mark.parametrize(
    ("ids", "labels", "problem"),
    [
        ([1, 2], [-100, 2], None),
        ([1, 2], [1, 2], None),
        ([1], [1], "the row is a single token, which trains nothing"),
        ([1, 2], [-100, -100], "no token of the row would be trained"),
        ([1, 2], [1, -100], "no token of the row would be trained"),
        ([], [], "no token of the row would be trained"),
        (
            [1, 2, 3, 4, 5],
            [1, -100, -100, -100, 5],
            "no token of the row would be trained because `sequence_len` cuts it before the answer",
        ),
    ],
)
def test_a_row_needs_a_trained_token_that_others_predict(
    tokenizing: RowTokenizer, ids: list[int], labels: list[int], problem: str | None
) -> None:
    assert tokenizing.check_row(Tokens(ids, labels)).problem == problem
