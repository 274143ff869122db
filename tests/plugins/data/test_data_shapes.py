"""The shapes of data that the reference lists become what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.catalogue.data_shapes import SHAPES, Shape, describe, page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "data-shapes.md"
ALL = [pytest.param(shape, id=shape.title) for shapes in SHAPES.values() for shape in shapes]


@pytest.mark.parametrize("shape", ALL)
def test_a_row_becomes_what_the_page_says(shape: Shape) -> None:
    assert describe(shape.row, {}) == shape.result


@pytest.mark.parametrize("shape", [param for param in ALL if param.values[0].settings])
def test_settings_change_the_result(shape: Shape) -> None:
    assert describe(shape.row, shape.settings) == shape.other


def test_there_are_enough_shapes_and_no_title_twice() -> None:
    titles = [shape.title for shapes in SHAPES.values() for shape in shapes]
    assert len(titles) == len(set(titles)) >= 50


def test_the_page_is_made_of_them() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
