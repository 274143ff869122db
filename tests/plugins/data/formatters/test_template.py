from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ftrun.api.rows import Rejected, Row, Segments
from ftrun_plugins.data.formatters.template import Template
from ftrun_plugins.data.formatters.template_syntax import columns, fill, parse
from helpers.catalogue.case import is_about


def formatted(values: dict[str, Any], prompt: str = "Q: {q}\n", answer: str = "{a}") -> Segments | Rejected:
    return Template().format(Row(values, "data.jsonl", 1), Template.Options(prompt=prompt, answer=answer))


def test_the_answer_alone_is_trained_on() -> None:
    assert formatted({"q": "1+1?", "a": "2"}) == Segments((("Q: 1+1?\n", False), ("2", True)))


def test_a_prompt_may_be_empty() -> None:
    assert formatted({"a": "2"}, prompt="") == Segments((("2", True),))


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), ("", ""), (3, "3"), (-1.5, "-1.5"), (True, "true"), (False, "false"), ("{a}", "{a}")],
)
def test_values_stand_as_in_the_data(value: Any, text: str) -> None:
    assert fill("<{v}>", {"v": value}) == f"<{text}>"


def test_braces_are_written_twice() -> None:
    assert fill('{{"q": "{q}"}} {{{q}}}', {"q": "x"}) == '{"q": "x"} {x}'


def test_a_column_may_have_spaces_and_any_letters_in_its_name() -> None:
    assert fill("{Full question}/{größe}/{a-b}", {"Full question": "x", "größe": 1, "a-b": 2}) == "x/1/2"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"q": "x"}, "missing-value `a`"),
        ({"q": "x", "a": None}, "wrong-type `a`"),
        ({"q": "x", "a": ["y"]}, "wrong-type `a`"),
        ({"q": {"b": 1}, "a": "y"}, "wrong-type `q`"),
        ({"q": "x", "a": ""}, "empty-value `a`"),
        ({"q": "x", "a": " "}, "empty-value `a`"),
        ({"q": 1e20, "a": "y"}, "wrong-type `q` is a number too large"),
    ],
)
def test_a_row_that_does_not_fit_is_rejected(row: dict[str, Any], reason: str) -> None:
    rejected = formatted(row)
    assert isinstance(rejected, Rejected)
    assert is_about(rejected.code, rejected.reason, reason)


def test_a_misspelt_column_is_met_with_the_nearest() -> None:
    outcome = formatted({"question": "x", "answer": "y"}, prompt="{qestion}", answer="{answer}")

    assert isinstance(outcome, Rejected)
    assert is_about(outcome.code, outcome.reason, "missing-value did you mean `question`?")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a {q", "`{` at character 3 has no partner; write `{{`"),
        ("a q}", "`}` at character 4 has no partner; write `}}`"),
        ("{{q}", "`}` at character 4 has no partner"),
        ("{q}}", "`}` at character 4 has no partner"),
        ("{}", "`{}` names no column"),
        ("{ }", "`{ }` names no column"),
        ("{q.__class__}", "`{q.__class__}` must hold only a column name"),
        ("{q[0]}", "`{q[0]}` must hold only a column name"),
        ("{q:>10}", "`{q:>10}` must hold only a column name"),
        ("{q!r}", "`{q!r}` must hold only a column name"),
        ("{ q}", "`{ q}` must hold only a column name"),
    ],
)
def test_a_wrong_template_is_found_when_the_options_are_built(template: str, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        Template.Options(prompt=template, answer="{a}")
    assert message in str(error.value)


def test_an_answer_that_is_the_same_for_all_rows_is_refused() -> None:
    with pytest.raises(ValidationError, match="a template with a column"):
        Template.Options(prompt="{q}", answer="answer")


names = st.text(st.characters(categories=["L", "N"]), min_size=1)
parts = st.lists(st.tuples(st.text(), names), max_size=5)


@given(parts, st.text(), st.data())
def test_any_text_and_columns_come_out_as_they_went_in(
    pairs: list[tuple[str, str]], last: str, draw: st.DataObject
) -> None:
    def escaped(text: str) -> str:
        return text.replace("{", "{{").replace("}", "}}")

    template = "".join(f"{escaped(text)}{{{name}}}" for text, name in pairs) + escaped(last)
    values = {name: draw.draw(st.text()) for _, name in pairs}

    assert columns(template) == [name for _, name in pairs]
    assert fill(template, values) == "".join(text + values[name] for text, name in pairs) + last


@given(st.text(st.sampled_from("{}ab. ")))
def test_any_template_is_parsed_or_refused_and_means_what_format_means(template: str) -> None:
    try:
        values = dict.fromkeys(columns(template), "value")
    except ValueError:
        return
    assert fill(template, values) == template.format(**values)


HINTED = "Q: {q}\n{#hint}Hint: {hint}\n{/hint}A:"


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"q": "x", "hint": "y"}, "Q: x\nHint: y\nA:"),
        ({"q": "x", "hint": 0}, "Q: x\nHint: 0\nA:"),
        ({"q": "x", "hint": ""}, "Q: x\nA:"),
        ({"q": "x", "hint": " "}, "Q: x\nA:"),
        ({"q": "x", "hint": None}, "Q: x\nA:"),
        ({"q": "x"}, "Q: x\nA:"),
    ],
)
def test_a_section_vanishes_if_its_column_says_nothing(row: dict[str, Any], text: str) -> None:
    assert fill(HINTED, row) == text


@pytest.mark.parametrize("row", [{"q": "x", "hint": ""}, {"q": "x", "hint": " "}, {"q": "x", "hint": None}, {"q": "x"}])
def test_an_inverted_section_stands_for_a_column_that_says_nothing(row: dict[str, Any]) -> None:
    template = "{#hint}{hint}: {q}{/hint}{^hint}{q}?{/hint}"
    assert columns(template) == ["hint", "hint", "q", "hint", "q"]
    assert fill(template, row) == "x?"
    assert fill(template, {"q": "x", "hint": 0}) == "0: x"


def test_sections_may_hold_other_columns_and_sections() -> None:
    template = "{#a}[{b}{#c}{c}{/c}]{/a}"
    assert columns(template) == ["a", "b", "c", "c"]
    assert fill(template, {"a": 1, "b": 2, "c": 3}) == "[23]"
    assert fill(template, {"a": 1, "b": 2}) == "[2]"
    assert fill(template, {"b": 2}) == ""


@pytest.mark.parametrize(
    "template", ["{#a}", "{/a}", "{#a}{#b}{/a}{/b}", "{#a}x{/b}", "{#}x{/}", "{# a}x{/ a}", "{^a}", "{^}x{/}"]
)
def test_a_section_that_does_not_close_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"section|column"):
        parse(template)


def test_names_may_hold_the_signs_of_sections_inside() -> None:
    assert fill("{cost/month}{a#b}", {"cost/month": 1, "a#b": 2}) == "12"
