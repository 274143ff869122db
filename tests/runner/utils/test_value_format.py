"""How a value of a recipe is shown on a line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun.utils.value_format import shorten_value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "unset"),
        (True, "true"),
        (1e-4, "0.0001"),
        (["lora", None, False], "[lora, null, false]"),
        ({"zero_optimization": {"stage": 3}}, "{…}"),
        ({}, "{}"),
        ("two\nlines", "two lines"),
        ("a" * 50, "a" * 39 + "…"),
    ],
)
def test_it_is_written_as_in_a_file(value: Any, shown: str) -> None:
    assert shorten_value(value) == shown


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists), st.integers(2, 60))
def test_it_is_one_short_line(value: Any, longest: int) -> None:
    shown = shorten_value(value, longest, nothing="-")
    assert len(shown) <= longest
    assert "\n" not in shown
