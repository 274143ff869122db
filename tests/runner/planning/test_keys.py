"""What enters a key and what does not: for every field of every stage's parameters, and for whole recipes."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from ftrun.api.errors import InvalidInput
from ftrun.api.paths import Store
from ftrun.api.stage_call import Component, EnvironmentRef, Plan, Ref, ResourceRequest, StageCall
from ftrun.execution.engine import make_backend
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded
from ftrun.testing.stage import assert_values_in_key
from ftrun_plugins.data.format.params import IN_KEY_IF_SET, Params
from ftrun_plugins.local import backend as local_backend

Loading = Callable[..., Loaded]
Planned = Callable[..., Plan]

BASE: dict[str, Any] = {
    "stage": "train",
    "version": 1,
    "params": {"rate": 0.1, "layers": [1, 2]},
    "inputs": {"data": Ref(stage="format", key="1" * 32)},
    "environment": EnvironmentRef(name="trainer", digest="2" * 32),
    "components": {"formatter:chat": Component(implementation="a.b:C", source="3" * 64)},
    "label": "train",
    "implementation": "a.b:Train",
    "settings": {"save_steps": 5},
    "files": {"4" * 64: "/data/rows.jsonl"},
    "secrets": ("TOKEN",),
    "optional_secrets": ("OTHER",),
    "after": (Ref(stage="check", key="5" * 32),),
    "preflight": False,
    "notes": ("note",),
    "work": ResourceRequest(cpu=1),
}


def key_with(**changes: Any) -> str:
    return StageCall(**{**BASE, **changes}).key


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"stage": "merge"}, id="stage"),
        pytest.param({"version": 2}, id="version"),
        pytest.param({"params": {"rate": 0.2, "layers": [1, 2]}}, id="a parameter"),
        pytest.param({"params": {"rate": 0.1, "layers": [2, 1]}}, id="the order of a list"),
        pytest.param({"params": {"rate": 0.1}}, id="a parameter less"),
        pytest.param({"inputs": {"data": Ref(stage="format", key="9" * 32)}}, id="the key of an input"),
        pytest.param({"inputs": {"rows": Ref(stage="format", key="1" * 32)}}, id="the role of an input"),
        pytest.param({"inputs": {}}, id="no input"),
        pytest.param({"environment": EnvironmentRef(name="trainer", digest="9" * 32)}, id="the environment's packages"),
        pytest.param(
            {"components": {"formatter:chat": Component(implementation="a.b:C", source="9" * 64)}}, id="a part's code"
        ),
        pytest.param({"components": {}}, id="no part"),
    ],
)
def test_what_changes_a_key(change: dict[str, Any]) -> None:
    assert key_with(**change) != key_with()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"label": "train:2"}, id="label"),
        pytest.param({"settings": {"save_steps": 6}}, id="settings"),
        pytest.param({"files": {"4" * 64: "/elsewhere/rows.jsonl"}}, id="where a file lies"),
        pytest.param({"work": ResourceRequest(cpu=8, gpus=2, timeout=60)}, id="what it may use"),
        pytest.param({"notes": ()}, id="notes"),
        pytest.param({"after": ()}, id="calls that must succeed first"),
        pytest.param({"preflight": True}, id="whether it only checks"),
        pytest.param({"secrets": ()}, id="names of secrets"),
        pytest.param({"optional_secrets": ()}, id="names of optional secrets"),
        pytest.param({"environment": EnvironmentRef(name="renamed", digest="2" * 32)}, id="the environment's name"),
        pytest.param({"params": {"layers": [1, 2], "rate": 0.1}}, id="the order of parameters"),
        pytest.param(
            {"components": {"formatter:chat": Component(implementation="moved:C", source="3" * 64)}},
            id="where a part's class is",
        ),
    ],
)
def test_what_does_not_change_a_key(change: dict[str, Any]) -> None:
    assert key_with(**change) == key_with()


def test_no_field_of_a_call_is_forgotten_here() -> None:
    """A new field has to be decided on: in the key or beside it, and in one of the lists above."""
    assert set(StageCall.model_fields) == set(BASE)
    named = {"label", "implementation", "settings", "files", "secrets", "optional_secrets", "after"}
    beside = named | {"preflight", "notes", "work"}
    assert set(StageCall(**BASE).identity) == set(BASE) - beside


def test_how_keys_are_made_is_pinned() -> None:
    """Another value here means that nobody finds what they computed before: raise a stage's version instead."""
    assert key_with() == "a16c919f7961950fb6811d9311dfbc62"


# Calls of every stage, as recipes make them, so that their parameters hold every kind of value.
SOURCE = f"{{name: jsonl, path: {Path(__file__).parents[3] / 'data' / 'quickstart_sql' / 'train.jsonl'}}}"
VARIANTS = {
    "quickstart": ("dataset.split.held_out=0.1", "dataset.split.by=question", "dataset.held_out=null"),
    "url": ("dataset=sqlqa", "evals=[exact_match,held_out_loss]"),
    "hub": ("model=codellama_7b_instruct", "train.chat_template=chatml"),
    "folder": ("model=codellama_7b_instruct", "model.weights={origin: folder, path: weights}"),
    "tiny": ("model=tiny",),
    "full": ("optimizations=[full]",),
    "tasks": ("evals=[lm_eval]", "evals.lm_eval.task=gsm8k"),
    "parts": (
        "dataset.source=null",
        "dataset.held_out=null",
        f"dataset.parts.a={{source: {SOURCE}, held_out: {SOURCE}, weight: 1, limit: 9}}",
        f"dataset.parts.b={{source: {SOURCE}, formatter: {{name: chat}}, split: {{held_out: 0.1, by: q}}, weight: 2.5, "
        "filters: [{column: messages, not_empty: true}]}",
        "dataset.filters=[{column: a, equals: x}, {column: a, one_of: [x, 1]}, {column: a, matches: x}, "
        "{distinct: true}]",
        "dataset.shuffle=0",
        "dataset.limit=100",
        "dataset.held_out_limit=10",
    ),
    "dataset of the hub": (
        "dataset.source={name: hub, repo: a/b, revision: 0123456789abcdef0123456789abcdef01234567, files: [x.jsonl]}",
        "dataset.held_out=null",
    ),
    "template": ("model.template.enable_thinking=false", "evals=[lm_eval,exact_match]", "evals.lm_eval.task=gsm8k"),
    "parsers": (
        "stages=[fetch,format,tokenize,train,merge,parity]",
        "serve.tool_parser=hermes",
        "serve.reasoning_parser=qwen3",
    ),
    "gates": ("evals=[exact_match,held_out_loss]", "evals.exact_match.gate={min: 0.1, max: 1, min_gain_over_base: 0}"),
}


@pytest.fixture
def planned(loading: Loading, store: Store, folder: Path) -> Planned:
    """The plan of the small recipe with overrides, on this machine's backend."""
    (folder / "weights").mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / "weights" / name).write_text("{}")

    def plan(*overrides: str, **more: str) -> Plan:
        recipe = loading(*overrides, **more).recipe
        return make_plan(recipe, plugins(), make_backend(recipe, plugins(), store))

    return plan


def _params_model(call: StageCall) -> type[BaseModel]:
    """The model that a stage checks its parameters with: `Params` in the module of the stage, or beside it."""
    module = importlib.import_module(call.implementation.partition(":")[0])
    found: type[BaseModel] = module.Params
    return found


@pytest.mark.parametrize("overrides", VARIANTS.values(), ids=VARIANTS)
def test_every_value_of_every_stages_parameters_is_in_its_key(overrides: tuple[str, ...], planned: Planned) -> None:
    plan = planned(*overrides)
    for call in plan.calls:
        model = _params_model(call)
        assert model.model_config["extra"] == "forbid"
        assert model.model_config["frozen"] is True
        assert model.model_validate(call.params).model_dump(mode="json") == call.params
        left_out = set(model.model_fields) - set(call.params)
        in_key_if_set = {name for name, field in model.model_fields.items() if field.exclude_if is not None}
        assert left_out <= in_key_if_set | set(IN_KEY_IF_SET if model is Params else ()), call.label
        assert_values_in_key(call)


def test_the_variants_cover_every_stage_and_every_field_of_every_model(planned: Planned) -> None:
    calls = [call for overrides in VARIANTS.values() for call in planned(*overrides).calls]
    assert {call.stage for call in calls} == set(plugins().of_kind("stage"))
    declared = {field for call in calls for field in _declared(_params_model(call))}
    present = {field for call in calls for field in _present(_params_model(call).model_validate(call.params))}
    assert present == declared


def _declared(annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    """The fields of all models that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield annotation, name
            yield from _declared(field.annotation)
    for argument in get_args(annotation):
        yield from _declared(argument)


def _present(value: Any) -> Iterator[tuple[type[BaseModel], str]]:
    """The fields of all models that a value holds."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield type(value), name
            yield from _present(getattr(value, name))
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _present(inner)


def _keys(plan: Plan) -> dict[str, str]:
    return {call.label: call.key for call in plan.calls}


def _changed(one: Plan, other: Plan) -> set[str]:
    before, after = _keys(one), _keys(other)
    return {label for label in {*before, *after} if before.get(label) != after.get(label)}


SCORED = {"score:exact_match", "evaluate"}
AFTER_TRAIN = {"train", "merge", "parity:prompts", "parity:weights", "generate:tuned", *SCORED}
AFTER_FORMAT = {"format", "tokenize", "generate:base", *AFTER_TRAIN}
CHECKS = {"check:config", "check:model"}


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        pytest.param("train.learning_rate=5e-4", {*CHECKS, *AFTER_TRAIN}, id="learning rate"),
        pytest.param("train.num_epochs=7", {*CHECKS, *AFTER_TRAIN}, id="epochs"),
        pytest.param("optimizations.lora.lora_dropout=0.1", {*CHECKS, *AFTER_TRAIN}, id="adapter"),
        pytest.param("train.sequence_len=256", {"tokenize", *CHECKS, *AFTER_TRAIN}, id="sequence length"),
        pytest.param("dataset.max_cut=0.5", {"tokenize", *AFTER_TRAIN}, id="limit of cut rows"),
        pytest.param("dataset.on_bad_row=skip", AFTER_FORMAT, id="bad rows"),
        pytest.param("dataset.formatter.messages=chat", AFTER_FORMAT, id="formatter's option"),
        pytest.param("generate.max_new_tokens=9", {"generate:base", "generate:tuned", *SCORED}, id="answers"),
        pytest.param("evals.exact_match.ignore_case=true", SCORED, id="evaluator's option"),
        pytest.param("evals.exact_match.gate.min=0.5", {"evaluate"}, id="gate"),
        pytest.param("resources.train.timeout=99", set(), id="time-out"),
        pytest.param("resources.train.cpu=1", set(), id="cores"),
        pytest.param("serve=vllm", set(), id="serving"),
        pytest.param("train.weight_decay=null", set(), id="null says the same as an absent key"),
    ],
)
def test_only_what_depends_on_a_value_is_made_again(override: str, changed: set[str], planned: Planned) -> None:
    assert _changed(planned(), planned(override)) == changed


def test_a_comment_and_the_recipes_name_change_nothing(planned: Planned, folder: Path) -> None:
    assert _changed(planned(), planned(more="# a comment\n")) == set()


def test_the_type_of_a_gpu_changes_only_the_checks_but_their_number_changes_more(
    planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def machine(*gpus: str) -> None:
        monkeypatch.setattr(local_backend, "gpus", lambda: gpus)

    machine("NVIDIA H100")
    hopper = planned("resources.train.gpu=H100:1")
    machine("NVIDIA A100", "NVIDIA A100")
    assert _changed(hopper, planned("resources.train.gpu=A100:1")) == CHECKS
    assert _changed(hopper, planned("resources.train.gpu=A100:2")) == {*CHECKS, *AFTER_TRAIN}
    machine()
    on_cpu = planned()
    assert _changed(hopper, on_cpu) == {"generate:base", *CHECKS, *AFTER_TRAIN}
    assert {"fetch:model", "format", "tokenize"}.isdisjoint(_changed(hopper, on_cpu))


def _rows(path: Path, *answers: str) -> None:
    rows = [{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": one}]} for one in answers]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_changed_data_file_is_made_again_from_format(planned: Planned, folder: Path) -> None:
    _rows(folder / "rows.jsonl", "one", "two")
    before = planned("dataset.source.path=rows.jsonl")
    _rows(folder / "rows.jsonl", "one", "two", "three")
    assert _changed(before, planned("dataset.source.path=rows.jsonl")) == AFTER_FORMAT


def test_a_data_file_elsewhere_under_its_own_name_changes_nothing(planned: Planned, folder: Path) -> None:
    (folder / "a").mkdir()
    for place in (folder / "rows.jsonl", folder / "a" / "rows.jsonl"):
        _rows(place, "one")
    assert _changed(planned("dataset.source.path=rows.jsonl"), planned("dataset.source.path=a/rows.jsonl")) == set()


def test_a_changed_lock_changes_what_runs_in_that_environment(planned: Planned, folder: Path) -> None:
    (folder / "lock.txt").write_text("torch==1\n")
    before = planned("environment.trainer.lock=lock.txt")
    (folder / "lock.txt").write_text("torch==2\n")
    changed = _changed(before, planned("environment.trainer.lock=lock.txt"))
    assert "format" not in changed  # it runs in the client
    assert {"fetch:model", "tokenize", "train"} <= changed


def test_calls_come_after_their_inputs_and_once_each(planned: Planned) -> None:
    seen: set[Ref] = set()
    for call in planned().calls:
        assert seen.issuperset(call.inputs.values())
        assert call.ref not in seen
        seen.add(call.ref)


def test_a_plan_survives_its_file(planned: Planned) -> None:
    plan = planned()
    again = Plan.model_validate_json(plan.model_dump_json(indent=1))
    assert _keys(again) == _keys(plan)
    assert again == plan


@pytest.mark.parametrize(
    ("optimizations", "attention"),
    [("lora,sample_packing", "sdpa"), ("lora,sample_packing,flash_attention", "flash_attention_2"), ("lora", None)],
)
def test_packed_rows_never_see_each_other_on_a_gpu(
    optimizations: str, attention: str | None, planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_backend, "gpus", lambda: ("NVIDIA H100",))
    plan = planned(f"optimizations=[{optimizations}]")
    (train,) = [call for call in plan.calls if call.stage == "train"]
    assert train.params["trainer"].get("attn_implementation") == attention


def test_an_evaluation_that_compares_two_models_is_refused_where_nothing_is_trained(planned: Planned) -> None:
    judge = ("evals=[judge]", "evals.judge.base_url=http://127.0.0.1:9/v1", "evals.judge.model=m")
    with pytest.raises(InvalidInput, match="`judge`") as refused:
        planned(*judge, "stages=[fetch,format,tokenize,generate,score,evaluate]")
    assert refused.value.problems[0].code == "unsupported-evaluation"
    assert "score:judge" in _keys(planned(*judge))
