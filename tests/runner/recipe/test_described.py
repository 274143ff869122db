"""Descriptions of keys, where they are written."""

from __future__ import annotations

from pydantic import BaseModel, Field

from ftrun.recipe.described import about, descriptions


class Base(BaseModel):
    """A base."""

    inherited: int = 1  # from the base


class Model(Base):
    """A model.

    With more to say.
    """

    field: int = Field(default=1, description="By the field.")  # not this
    text: int = Field(
        default=1,
        ge=0,
    )
    """By a text
    in two lines."""
    comment: tuple[int, ...] = ()  # by a `#` comment
    silent: int = 0
    other: int = Field(default=0, alias="called")  # by its alias


def test_each_way_is_read() -> None:
    assert descriptions(Model) == {
        "inherited": "from the base",
        "field": "By the field.",
        "text": "By a text\nin two lines.",
        "comment": "by a `#` comment",
        "called": "by its alias",
    }


def test_a_model_says_what_it_is() -> None:
    assert about(Model) == "A model.\n\nWith more to say."


def test_a_model_made_at_run_time_has_no_texts() -> None:
    assert descriptions(type("Made", (BaseModel,), {"__annotations__": {"x": int}})) == {}
