"""Trainer keys that name files: the content counts, not the path."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import Store
from ftrun.api.stage_call import Plan
from ftrun.execution.engine import make_backend
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded, load
from ftrun_plugins.axolotl.config.file_keys import find_syntax_error, names_file

Loading = Callable[..., Loaded]
Planned = Callable[..., Plan]

TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
TWO = "resources.train.processes=2"
ZERO = {"zero_optimization": {"stage": 2}, "bf16": {"enabled": "auto"}}


@pytest.fixture
def planned(loading: Loading, store: Store, folder: Path) -> Planned:
    (folder / "weights").mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / "weights" / name).write_text("{}")

    def plan(*overrides: str) -> Plan:
        recipe = loading("model.weights={origin: folder, path: weights}", *overrides).recipe
        return make_plan(recipe, plugins(), make_backend(recipe, plugins(), store))

    return plan


def keys(plan: Plan) -> dict[str, str]:
    return {call.label: call.key for call in plan.calls}


def problems_of(loading: Loading, *overrides: str) -> list[Problem]:
    with pytest.raises(InvalidInput) as caught:
        loading(*overrides)
    return list(caught.value.problems)


def test_an_edited_template_changes_the_keys_of_what_reads_it(planned: Planned, folder: Path) -> None:
    (folder / "t.jinja").write_text(TEMPLATE)
    override = "train.chat_template_jinja=t.jinja"
    first = keys(planned(override))
    (folder / "moved.jinja").write_text(TEMPLATE)
    assert keys(planned("train.chat_template_jinja=moved.jinja")) == first
    (folder / "t.jinja").write_text(f"{TEMPLATE} ")
    second = keys(planned(override))
    assert {label for label in first if first[label] == second[label]} == {"fetch:model", "format"}


def test_the_content_travels_with_the_call(planned: Planned, folder: Path) -> None:
    (folder / "t.jinja").write_text(TEMPLATE)
    (folder / "ds.json").write_text(json.dumps(ZERO))
    plan = planned("train.chat_template_jinja=t.jinja", "train.deepspeed=ds.json", TWO)
    params = {call.label: call.params for call in plan.calls}
    assert params["tokenize"]["trainer"]["chat_template_jinja"] == TEMPLATE
    assert params["train"]["trainer"]["deepspeed"]["zero_optimization"] == {"stage": 2}
    assert params["train"]["trainer"]["deepspeed"]["bf16"] == {"enabled": False}  # resolved as in the recipe itself
    assert not any(str(folder) in json.dumps(call.params) for call in plan.calls if call.label != "fetch:model")


def test_a_template_of_the_dataset_entry_is_read_too(planned: Planned, folder: Path) -> None:
    (folder / "t.jinja").write_text(TEMPLATE)
    plan = planned("dataset.trainer.chat_template_jinja=t.jinja")
    (tokenize,) = (call for call in plan.calls if call.label == "tokenize")
    assert tokenize.params["dataset"]["chat_template_jinja"] == TEMPLATE


def test_a_path_is_relative_to_the_file_that_sets_it(loading: Loading, folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "t.jinja").write_text(TEMPLATE)
    loading()
    text = (folder / "mine.yaml").read_text() + "  chat_template_jinja: t.jinja\n"
    (folder / "inner" / "deep.yaml").write_text(text)
    recipe = load(["recipe=inner/deep.yaml"], plugins()).recipe
    assert recipe.train["chat_template_jinja"] == str(folder / "inner" / "t.jinja")
    with pytest.raises(InvalidInput) as caught:  # an override is relative to the current folder
        load(["recipe=inner/deep.yaml", "train.chat_template_jinja=t.jinja"], plugins())
    assert [problem.code for problem in caught.value.problems] == ["file-not-found"]


@pytest.mark.parametrize(
    ("key", "name", "content", "code"),
    [
        ("chat_template_jinja", "none.jinja", None, "file-not-found"),
        ("chat_template_jinja", "t.jinja", "{% for m in messages %}", "invalid-template"),
        ("chat_template_jinja", "t.jinja", "no template", "wrong-format"),
        ("deepspeed", "none.json", None, "file-not-found"),
        ("deepspeed", "ds.json", '{"zero_optimization": ', "invalid-json"),
        ("deepspeed", "ds.json", "[]", "wrong-format"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_problem_at_its_key(
    key: str, name: str, content: str | None, code: str, loading: Loading, folder: Path
) -> None:
    if content is not None:
        (folder / name).write_text(content)
    override = f"train.{key}={name}"
    (problem,) = problems_of(loading, override, TWO)
    assert (problem.code, problem.at) == (code, f"override {override}")
    assert str(folder / name) in problem.what


def test_a_syntax_error_names_line_and_column(loading: Loading, folder: Path) -> None:
    (folder / "ds.json").write_text('{\n  "a": 1,\n}')
    assert f"{folder / 'ds.json'}:3:1" in problems_of(loading, "train.deepspeed=ds.json", TWO)[0].what
    (folder / "t.jinja").write_text("{{ 1 }}\n{% if %}")
    assert f"{folder / 't.jinja'}:2" in problems_of(loading, "train.chat_template_jinja=t.jinja")[0].what


def test_rules_for_values_apply_to_files(loading: Loading, folder: Path) -> None:
    (folder / "ds.json").write_text(json.dumps(ZERO))
    override = "train.deepspeed=ds.json"
    (problem,) = problems_of(loading, override, "resources.train.gpu=1")
    assert (problem.code, override in str(problem.at)) == ("invalid-value", True)
    (folder / "ds.json").write_text(json.dumps({"zero_optimization": {"offload_optimizer": {"device": "cpu"}}}))
    assert loading(override, "resources.train.gpu=1").recipe.train["deepspeed"] == str(folder / "ds.json")


def test_a_template_that_another_key_switches_off_is_refused(loading: Loading, folder: Path) -> None:
    (folder / "t.jinja").write_text(TEMPLATE)
    (problem,) = problems_of(loading, "train.chat_template_jinja=t.jinja", "train.chat_template=chatml")
    assert problem.code == "no-effect"
    loading("train.chat_template_jinja=t.jinja", "train.chat_template=jinja")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("chat_template_jinja", "t.jinja", True),
        ("chat_template_jinja", TEMPLATE, False),
        ("chat_template_jinja", "line\nline", False),
        ("chat_template_jinja", None, False),
        ("deepspeed", "ds.json", True),
        ("deepspeed", {"a": 1}, False),
        ("chat_template", "chatml", False),
    ],
)
def test_a_value_is_a_file_or_not(key: str, value: object, expected: bool) -> None:
    assert names_file(key, value) is expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{% generation %}{{ x }}{% endgeneration %}", None),
        ("{% for x in y %}{% continue %}{% endfor %}", None),
        ("{%- set x = namespace(y=1) -%}{% set x.y = 2 %}{{ raise_exception('no') }}", None),
        ("a\n{{ x", 2),
        ("{% generation %}{{ x }}", 1),
    ],
)
def test_templates_of_transformers_are_valid(text: str, line: int | None) -> None:
    error = find_syntax_error(text)
    assert (error and error[0]) == line
