"""The tokens of a row by which two models are compared."""

from __future__ import annotations

import pytest

from ftrun_plugins.parity.window import Window, window, windows

IDS = [10, 11, 12, 13, 14, 15]
NO = -100


@pytest.mark.parametrize(
    ("labels", "most", "expected"),
    [
        ([NO, NO, NO, NO, 14, 15], 9, Window(IDS, [4, 5])),
        ([NO, NO, NO, NO, 14, 15], 6, Window(IDS, [4, 5])),
        ([NO, NO, 12, NO, 14, NO], 9, Window([10, 11, 12, 13, 14], [2, 4])),
        ([NO, NO, 12, NO, 14, NO], 4, Window([10, 12, 13, 14], [1, 3])),
        ([NO, NO, 12, NO, 14, NO], 3, Window([10, 13, 14], [2])),
        ([NO, NO, NO, NO, NO, 15], 2, Window([10, 15], [1])),
        ([10, 11, NO, NO, NO, NO], 9, Window([10, 11], [1])),
        ([NO, NO, NO, NO, 0, NO], 3, Window([10, 13, 14], [2])),
        ([10, NO, NO, NO, NO, NO], 9, None),
        ([NO] * 6, 9, None),
    ],
    ids=["whole row", "as long as it may be", "end of the row", "cut", "cut again", "one token",
         "a trained first token", "token 0 is trained", "only the first token", "nothing trained"],
)  # fmt: skip
def test_a_window(labels: list[int], most: int, expected: Window | None) -> None:
    assert window(IDS, labels, most) == expected


def test_the_compared_tokens_are_the_trained_ones() -> None:
    assert Window([10, 12, 13, 14], [1, 3]).compared == [12, 14]


def test_rows_without_a_window_do_not_count() -> None:
    rows = [{"ids": IDS, "labels": [NO] * 5 + [label]} for label in (NO, 15, NO, 16, 17)]
    assert [found.places for found in windows(rows, 2, 3)] == [[2], [2]]
    assert len(windows(rows, 9, 3)) == 3


def test_no_row_is_read_after_the_last_one_that_is_compared() -> None:
    rows = iter([{"ids": IDS, "labels": [NO] * 5 + [15]}] * 3)
    windows(rows, 2, 3)
    assert len(list(rows)) == 1
