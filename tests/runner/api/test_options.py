from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from ftrun.api.errors import InvalidInput
from ftrun.api.options import ColumnOption
from ftrun.api.rows import Column, FormatterOptions, OptionalColumn
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded


class Both(FormatterOptions):
    question: Column = "question"
    answer: Column = Field(default="answer", alias="reply")
    hint: OptionalColumn = "hint"
    note: OptionalColumn = "note"
    key: Annotated[str, ColumnOption("key")] = "question"
    plain: str = "question"


def errors(**options: Any) -> list[tuple[Any, str]]:
    with pytest.raises(ValidationError) as found:
        Both.model_validate(options)
    return [(error["loc"], error["msg"]) for error in found.value.errors()]


def test_defaults_stand_side_by_side() -> None:
    assert Both().model_dump() == {
        "question": "question",
        "answer": "answer",
        "hint": "hint",
        "note": "note",
        "key": "question",
        "plain": "question",
    }


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"question": "x", "reply": "x"}, [(("reply",), "another column, because `question` has this value too")]),
        ({"question": "answer"}, [(("question",), "another column, because `reply` has this value by default")]),
        ({"reply": "question"}, [(("reply",), "another column, because `question` has this value by default")]),
        ({"question": "hint", "hint": "hint"}, [(("hint",), "another column, because `question` has this value too")]),
        ({"hint": "x", "note": "x"}, [(("note",), "another column, because `hint` has this value too")]),
        (
            {"question": "x", "reply": "x", "note": "x"},
            [
                (("reply",), "another column, because `question` has this value too"),
                (("note",), "another column, because `question` has this value too"),
            ],
        ),
    ],
)
def test_two_options_for_one_column_are_an_error(options: dict[str, Any], wrong: list[tuple[Any, str]]) -> None:
    assert errors(**options) == wrong


@pytest.mark.parametrize("taker", ["question", "reply", "note"])
def test_an_optional_default_gives_way(taker: str) -> None:
    found = Both.model_validate({taker: "hint"})

    assert found.hint is None
    dumped = found.model_dump(by_alias=True)  # as the stage gets them: every option is explicit
    assert Both.model_validate(dumped) == found


def of_one_item() -> Iterator[Any]:
    """Every pair of options that name things of one kind, for each registered formatter."""
    for formatter, registered in plugins().of_kind("formatter").items():
        marks = {
            name: mark
            for name, field in registered.cls.Options.model_fields.items()
            for mark in field.metadata
            if isinstance(mark, ColumnOption)
        }
        for one, other in combinations(marks, 2):
            if marks[one].item == marks[other].item:
                yield pytest.param(formatter, one, other, id=f"{formatter}: {one} and {other}")


@pytest.mark.parametrize(("formatter", "one", "other"), list(of_one_item()))
def test_no_formatter_reads_one_column_twice(formatter: str, one: str, other: str) -> None:
    cls = plugins().get("formatter", formatter).cls.Options

    with pytest.raises(ValidationError):
        cls.model_validate({one: "x", other: "x"})
    for taker, owner in ((one, other), (other, one)):
        default = cls.model_fields[owner].default
        try:
            assert getattr(cls.model_validate({taker: default}), owner) is None
        except ValidationError as error:
            assert [details["loc"] for details in error.errors()] == [(taker,)]  # noqa: PT017


def test_a_recipe_is_refused_with_both_places(loading: Callable[..., Loaded]) -> None:
    text = "dataset:\n  formatter:\n    name: alpaca\n    instruction: question\n    output: answer\n"

    with pytest.raises(InvalidInput) as refused:
        loading("dataset.formatter.output=question", more=text)

    (problem,) = refused.value.problems
    assert problem.what == "`dataset.formatter.output` is 'question'"
    assert problem.expected == "another column, because `instruction` has this value too"
    assert problem.at == "override dataset.formatter.output=question and mine.yaml:16:5"


def test_a_default_has_no_place(loading: Callable[..., Loaded]) -> None:
    with pytest.raises(InvalidInput) as refused:
        loading(more="dataset:\n  formatter:\n    name: alpaca\n    instruction: output\n")

    (problem,) = refused.value.problems
    assert problem.expected == "another column, because `output` has this value by default"
    assert problem.at == "mine.yaml:16:5"
