"""What each condition keeps, what is counted of it, and patterns that would never end."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ftrun.api.dataset import Filter
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun_plugins.data.format.row_filter import RowFilter
from helpers.catalogue.case import is_about


def sieve(*filters: dict[str, Any]) -> RowFilter:
    return RowFilter([Filter.model_validate(one) for one in filters])


def kept(values: list[Any], condition: dict[str, Any]) -> list[Any]:
    rows = (Row({"x": value}, "f", line) for line, value in enumerate(values, start=1))
    return [row.values["x"] for row in sieve({"column": "x", **condition}).apply(rows) if isinstance(row, Row)]


MESSAGES = [{"role": "user", "content": "hello"}]  # 9 characters


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ({"equals": "en"}, ["en", "EN", " en", None, 1], ["en"]),
        ({"equals": 1}, [1, 1.0, "1", "1.0", True, "x", [1]], [1, 1.0, "1", "1.0"]),
        ({"equals": True}, [True, 1, "true", False], [True]),
        ({"equals": False}, [False, 0, None], [False]),
        ({"one_of": ["a", 2]}, ["a", "b", 2, "2", None], ["a", 2, "2"]),
        ({"none_of": ["a"]}, ["a", "b", None, 3], ["b", 3]),
        ({"not_empty": True}, ["", " \n", "a", [], [0], {}, 0, False, None], ["a", [0], 0, False]),
        ({"min_characters": 2}, ["a", "éé", MESSAGES, 12, None], ["éé", MESSAGES]),
        ({"max_characters": 8}, ["", "12345678", "123456789", MESSAGES, None], ["", "12345678"]),
        ({"matches": "^b"}, ["b", "ab", "bc", 1, None], ["b", "bc"]),
        ({"min": 2}, [1, 2, "2.5", "x", None, True, float("nan")], [2, "2.5"]),
        ({"max": 2}, [1, 2, "2.5", -3.5, "1e400"], [1, 2, -3.5]),
        ({"distinct": True}, ["a", "b", "a", None, 1, 1.0, [1], [1]], ["a", "b", 1, 1.0, [1]]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_a_condition_keeps(condition: dict[str, Any], values: list[Any], expected: list[Any]) -> None:
    found = kept(values, condition)

    assert [(type(value), value) for value in found] == [(type(value), value) for value in expected]


def test_whole_rows_are_distinct_whatever_the_order_of_their_columns() -> None:
    rows = [Row({"a": 1, "b": 2}, "f", 1), Row({"b": 2, "a": 1}, "f", 2), Row({"a": 1}, "f", 3)]

    assert [row.line for row in sieve({"distinct": True}).apply(rows)] == [1, 3]


def test_filters_are_taken_in_their_order_and_each_counts_what_it_removed() -> None:
    two = sieve({"column": "x", "min": 2}, {"column": "x", "max": 3})
    rows: list[Row | BadRow] = [Row({"x": number}, "f", number) for number in range(1, 11)]

    found = list(two.apply([*rows, BadRow("f", 11, "bad"), Row({}, "f", 12)]))

    assert [row.line for row in found] == [2, 3, 11]
    assert two.counts() == {"x min 2": 2, "x max 3": 7}


@given(st.lists(st.integers(0, 9)), st.integers(0, 9), st.integers(0, 9))
def test_every_row_is_kept_or_counted_once(numbers: list[int], least: int, most: int) -> None:
    many = sieve({"column": "x", "min": least}, {"column": "x", "max": most}, {"column": "x", "distinct": True})

    found = list(many.apply([Row({"x": number}, "f", 1) for number in numbers]))

    assert len(found) + sum(many.removed) == len(numbers)
    assert [row.values["x"] for row in found if isinstance(row, Row)] == [
        number for number in dict.fromkeys(numbers) if least <= number <= most
    ]


def test_why_nothing_is_left_is_told_filter_by_filter_with_the_nearest_column() -> None:
    two = sieve({"column": "lang", "equals": "en"}, {"column": "txt", "not_empty": True})
    list(two.apply([Row({"lang": lang, "text": "a"}, "f", 1) for lang in ("en", "de", "en")]))

    total, first, second = two.problems(" of part `a`")

    assert is_about(total.code, total.what, "no-rows all 3 rows of part `a`")
    assert (first.what, first.at) == ("rows removed: 1", "filter lang equals 'en'")
    assert is_about(second.code, second.what, "no-rows none of the 2 rows")
    assert is_about(second.code, second.what, "no-rows has a column `txt`")
    assert second.did_you_mean == ("text",)


@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|a)*$", "(.*a){25}$"])
def test_no_pattern_is_kept_busy_by_a_row(pattern: str) -> None:
    began = time.monotonic()
    rows = [Row({"x": "a" * 30}, "f", 1), Row({"x": "a" * 10_000 + "b"}, "f", 2)]
    assert [row.line for row in sieve({"column": "x", "matches": pattern}).apply(rows)] == [1]
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"column": "x"}, "one of equals"),
        ({"column": "x", "min": 1, "max": 2}, "one of equals"),
        ({"equals": 1}, "`column`"),
        ({"column": "x", "matches": "("}, "unclosed group"),
        ({"column": "x", "matches": "a" * 1001}, "at most 1000 characters"),
        ({"column": "x", "one_of": []}, "at least 1 item"),
        ({"column": "x", "distinct": False}, "True"),
        ({"column": "x", "min_characters": -1}, "greater than or equal to 0"),
        ({"column": "x", "eval": "1"}, "Extra inputs are not permitted"),
    ],
)
def test_a_filter_that_says_nothing_or_too_much_is_wrong(wrong: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        Filter.model_validate(wrong)
