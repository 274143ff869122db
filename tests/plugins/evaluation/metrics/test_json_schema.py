"""Answers that have to be JSON, and schemas that are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.recipe.load import Loaded
from ftrun_plugins.evaluation.metrics.json_schema import JsonSchema

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer", "minimum": 0}},
    "required": ["city"],
}
RIGHT = '{"city": "Oslo", "people": 7}'


def score(prediction: str, row: dict[str, Any] | None = None, **options: Any) -> tuple[float, str | None]:
    given = JsonSchema.Options.model_validate(options or {"schema": SCHEMA})
    return JsonSchema().score(prediction, "", row or {}, given)


@pytest.mark.parametrize(
    "answer",
    [
        RIGHT,
        f"  {RIGHT}\n",
        f"Here it is:\n```json\n{RIGHT}\n```\nAnd {{more}}.",
        f"```\n{RIGHT}\n```",
        f"```{RIGHT}```",
        f"```json\n{RIGHT}",
        f"The answer is {RIGHT}, I think.",
        f"As said in [1] and {{above}}, it is {RIGHT} (see [2, 3]).",
        f"[{RIGHT}",
        f'<think>\nMaybe {{}}, or a list of all cities, ["Oslo", "Bergen", "Trondheim"]?\n</think>\n{RIGHT}',
        f'{{"city": "Oslo", "people": 7, "but": "no"}}\n</think>\n\n{RIGHT}',
        f"The rows:\n```csv\n1,2\n```\nThe answer:\n```json\n{RIGHT}\n```",
        f"Not\n```json\n{{}}\n```\nbut\n```json\n{RIGHT}\n```",
    ],
)
def test_json_is_found_in_an_answer(answer: str) -> None:
    assert score(answer) == (1.0, None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("no idea", "is not JSON"),
        ("", "is not JSON"),
        ('{"city": "Oslo"', "is not JSON"),
        ('{"city": "Oslo", "people": NaN}', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"a":' * 50_000, "is not JSON"),
        (f"<think> {RIGHT}", "is not JSON"),
        ('{"city": ' + "9" * 5000 + "}", "is not JSON"),
        ('{"people": 7}', "at $: 'city' is a required property"),
        ('{"city": "Oslo", "people": -1}', "at $.people: -1 is less than the minimum of 0"),
        ('["Oslo"]', "at $: ['Oslo'] is not of type 'object'"),
    ],
)
def test_a_wrong_answer_scores_nothing_and_says_where(answer: str, reason: str) -> None:
    assert score(answer) == (0.0, reason)


def test_nothing_is_taken_out_where_the_answer_has_to_be_json_alone() -> None:
    assert score(f"It is {RIGHT}", schema=SCHEMA, extract=False) == (0.0, "is not JSON")
    assert score("7", schema={"type": "integer"}, extract=False) == (1.0, None)


def test_an_answer_that_is_nested_deeper_than_a_schema_can_be_followed() -> None:
    schema = {"$defs": {"list": {"type": "array", "items": {"$ref": "#/$defs/list"}}}, "$ref": "#/$defs/list"}
    assert score("[[[]]]", schema=schema) == (1.0, None)
    assert score("[" * 400 + "]" * 400, schema=schema) == (0.0, "is nested too deeply")


@pytest.mark.parametrize("schema", [SCHEMA, json.dumps(SCHEMA)])
def test_each_row_may_have_a_schema_of_its_own(schema: Any) -> None:
    assert score(RIGHT, {"shape": schema}, schema_field="shape") == (1.0, None)
    assert score("{}", {"shape": schema}, schema_field="shape")[0] == 0.0


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({}, "the row has no schema in `shape`"),
        ({"shape": "{"}, "`shape` is not JSON"),
        ({"shape": {"type": "text"}}, "at $.type"),
        ({"shape": {"$ref": "https://example.invalid/schema"}}, "example.invalid"),
    ],
)
def test_a_bad_schema_of_a_row_is_the_rows_fault(row: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError) as error:
        score(RIGHT, row, schema_field="shape")
    assert told in str(error.value)


@pytest.mark.parametrize("schema", [{"type": "text"}, {"$ref": "#/$defs/none"}])
def test_a_bad_schema_of_the_recipe_is_the_recipes(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        score(RIGHT, schema=schema)
    assert refused.value.problems[0].at == "the option `schema`"


def test_a_recipe_says_which_schema(loading: Callable[..., Loaded]) -> None:
    chosen = "evals=[json_schema]"
    with pytest.raises(InvalidInput) as refused:
        loading(chosen)
    assert refused.value.problems[0].expected == "either `schema` or `schema_field`"
    with pytest.raises(InvalidInput) as refused:
        loading(chosen, more="evals: {json_schema: {schema: [1]}}\n")
    assert (refused.value.problems[0].what, refused.value.problems[0].at) == (
        "`evals.json_schema.schema` is [1]",
        "mine.yaml:13:23",
    )
    with pytest.raises(InvalidInput) as refused:
        loading(chosen, more="evals: {json_schema: {shema: {}}}\n")
    assert any("schema" in problem.did_you_mean for problem in refused.value.problems)
    loaded = loading(chosen, more="evals: {json_schema: {schema: {$ref: '#/$defs/a', $defs: {a: {type: object}}}}}\n")
    assert loaded.recipe.evals["json_schema"].options["schema"]["$ref"] == "#/$defs/a"


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("date", "2024-02-29", "2023-02-29"),
        ("date-time", "2024-02-29T23:59:59.123Z", "2024-02-29 23:59"),
        ("date-time", "2024-02-29t01:02:03+01:00", "2024-13-01T00:00:00Z"),
        ("time", "23:59:59Z", "25:00:00Z"),
        ("email", "a@example.com", "a"),
        ("ipv4", "127.0.0.1", "127.0.0.256"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
    ],
)
def test_formats_are_checked(kind: str, right: str, wrong: str) -> None:
    schema = {"properties": {"a": {"format": kind}}}
    assert score(json.dumps({"a": right}), schema=schema)[0] == 1.0
    assert score(json.dumps({"a": wrong}), schema=schema)[0] == 0.0
    assert score(json.dumps({"a": 1}), schema=schema)[0] == 1.0  # a format is one of texts
    assert score(json.dumps({"a": wrong}), schema=schema, check_formats=False)[0] == 1.0
