"""Texts that are trained or not, as axolotl's `input_output` has them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ftrun.api.rows import Rejected, Row, Segments
from ftrun_plugins.data.formatters.auto import Auto
from ftrun_plugins.data.formatters.segments import SegmentsFormatter

GIVEN, TRAINED = {"text": "Q: Who?\nA:", "label": False}, {"text": " The miller.", "label": True}
EXPECTED = Segments((("Q: Who?\nA:", False), (" The miller.", True)))


@pytest.mark.parametrize("segments", [[GIVEN, TRAINED], json.dumps([GIVEN, TRAINED])])
def test_texts_keep_their_order_and_marks(segments: Any) -> None:
    assert SegmentsFormatter().format(Row({"segments": segments}, "f", 1), SegmentsFormatter.Options()) == EXPECTED


def test_auto_knows_them_in_any_column() -> None:
    assert Auto().format(Row({"parts": [GIVEN, TRAINED]}, "f", 1), Auto.Options()) == EXPECTED


@pytest.mark.parametrize(
    ("segments", "code"),
    [
        ("hello", "wrong-type"),
        ("[", "invalid-json"),
        ({"text": "a"}, "wrong-type"),
        (["a"], "wrong-type"),
        ([{"text": "a"}], "missing-value"),
        ([{**TRAINED, "weight": 1}], "missing-value"),
        ([{"text": 1, "label": True}], "wrong-type"),
        ([{"text": "a", "label": 1}], "wrong-type"),
        ([GIVEN], "empty-value"),
        ([{"text": " ", "label": True}], "empty-value"),
        ([], "empty-value"),
    ],
)
def test_what_is_wrong_is_rejected(segments: Any, code: str) -> None:
    rejected = SegmentsFormatter().format(Row({"segments": segments}, "f", 1), SegmentsFormatter.Options())
    assert isinstance(rejected, Rejected)
    assert rejected.code == code


def test_a_row_without_the_column_is_rejected() -> None:
    rejected = SegmentsFormatter().format(Row({"text": "a"}, "f", 1), SegmentsFormatter.Options())
    assert isinstance(rejected, Rejected)
    assert rejected.code == "missing-value"
