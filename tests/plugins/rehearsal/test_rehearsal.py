"""What a rehearsal replaces, for every shipped recipe and for what may stand in one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftrun.api.config_dirs import own_folders, recipe_names
from ftrun.api.paths import Store
from ftrun.api.recipe import Recipe
from ftrun.api.trainers import Replacement
from ftrun.cli.main import run_command
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded
from ftrun.workflow.session import plan_call_graph
from ftrun_plugins.axolotl.config.build import build_trainer_config
from ftrun_plugins.axolotl.rehearsal import replacements
from ftrun_plugins.rehearsal.recipe import load_rehearsal
from ftrun_plugins.rehearsal.replacement import hydra_value

Loading = Callable[..., Loaded]


def rehearsal(*overrides: str) -> tuple[Recipe, dict[str, Replacement]]:
    loaded, replaced = load_rehearsal(overrides, plugins())
    return loaded.recipe, {one.key: one for one in replaced}


@pytest.mark.parametrize("name", recipe_names(own_folders().recipes or Path()))
def test_every_shipped_recipe_can_be_rehearsed_here(name: str, store: Store, folder: Path) -> None:
    loaded, _ = load_rehearsal([f"recipe={name}"], plugins())
    recipe, values = loaded.recipe, build_trainer_config(loaded.recipe).values
    assert recipe.name == f"{name}-rehearsal"
    assert (recipe.backend.name, recipe.model.weights.origin, recipe.dataset.limit) == ("local", "tiny", 50)
    assert values["max_steps"] == 3
    assert values["sequence_len"] <= 2048
    assert not values.get("deepspeed")
    calls = plan_call_graph(loaded).plan.calls
    assert {call.stage for call in calls} >= {"fetch", "format", "tokenize", "train"}
    assert [call.label for call in calls if call.work.gpus or call.secrets] == []


def test_the_recipe_itself_stays_as_it_is(loading: Loading, folder: Path) -> None:
    before = loading().recipe
    text = (folder / "mine.yaml").read_bytes()
    rehearsal("recipe=mine.yaml")
    assert (folder / "mine.yaml").read_bytes() == text
    assert loading().recipe == before


def test_parsers_for_another_template_are_left_out(loading: Loading, folder: Path) -> None:
    loading()
    recipe, replaced = rehearsal("recipe=mine.yaml", "serve.tool_parser=hermes", "serve.reasoning_parser=qwen3")
    assert (recipe.serve.tool_parser, recipe.serve.reasoning_parser) == (None, None)
    assert {"serve.tool_parser", "serve.reasoning_parser"} <= set(replaced)


def test_the_overrides_of_the_real_run_are_rehearsed(loading: Loading, folder: Path) -> None:
    loading()
    recipe, replaced = rehearsal("recipe=mine.yaml", "optimizations.lora.lora_r=4", "backend=modal")
    assert recipe.optimizations["lora"]["lora_r"] == 4
    assert (replaced["backend.name"].old, recipe.backend.options) == ("modal", {})


def test_what_is_smaller_already_is_kept(loading: Loading, folder: Path) -> None:
    loading()
    small = ("dataset.limit=8", "train.max_steps=2", "generate.rows=2", "generate.max_new_tokens=4")
    recipe, replaced = rehearsal("recipe=mine.yaml", *small)
    assert (recipe.dataset.limit, recipe.train["max_steps"], recipe.generate.rows) == (8, 2, 2)
    assert not {"dataset.limit", "train.max_steps", "generate.rows", "generate.max_new_tokens"} & set(replaced)


def test_a_shorter_sequence_cuts_no_answer_away() -> None:
    keys = {"train.sequence_len", "train.excess_length_strategy"}
    long = {"sequence_len": 8192, "excess_length_strategy": "truncate"}
    replaced = {one.key: one.new for one in replacements(long)}
    assert {key: replaced.get(key) for key in keys} == {
        "train.sequence_len": 2048,
        "train.excess_length_strategy": "drop",
    }
    assert not keys & {one.key for one in replacements({**long, "sequence_len": 1024})}


def test_weights_of_any_origin_become_tiny(loading: Loading, folder: Path) -> None:
    loading()
    weights = "model.weights={origin: folder, path: nowhere}"
    recipe, replaced = rehearsal("recipe=mine.yaml", "model=codellama_7b_instruct", weights)
    assert recipe.model.weights.origin == "tiny"
    recipe, replaced = rehearsal("recipe=mine.yaml", "model=tiny")
    assert "model" not in replaced


def test_a_judge_is_left_out_and_other_evaluations_stay(loading: Loading, folder: Path) -> None:
    loading()
    chosen = ("evals=[judge,lm_eval,exact_match]", "evals.judge.base_url=http://x", "evals.judge.model=m")
    recipe, replaced = rehearsal("recipe=mine.yaml", *chosen, "evals.lm_eval.task=gsm8k")
    assert list(recipe.evals) == ["lm_eval", "exact_match"]
    assert recipe.evals["lm_eval"].options["limit"] == 4
    assert replaced["evals.judge"].new == "left out"


def test_a_gate_stays(loading: Loading, folder: Path) -> None:
    loading()
    recipe, _ = rehearsal("recipe=mine.yaml", "evals.exact_match.gate.min=0.9")
    gate = recipe.evals["exact_match"].gate
    assert gate is not None
    assert gate.min == 0.9


@pytest.mark.parametrize(
    ("values", "key", "new"),
    [
        pytest.param({"chat_template": "llama3"}, "train.chat_template", "tokenizer_default", id="marks of another"),
        pytest.param({"lora_modules_to_save": ["embed_in"]}, "train.lora_modules_to_save", ["embed_tokens", "lm_head"]),
        pytest.param({"lora_target_modules": ["query_key_value"]}, "train.lora_target_modules", "all linear layers"),
        pytest.param({"lora_target_modules": ".*attn.*"}, "train.lora_target_modules", "all linear layers"),
        pytest.param({"wandb_project": "mine"}, "train.wandb_project", None),
        pytest.param({"special_tokens": {"pad_token": "x"}}, "train.special_tokens", None),
        pytest.param({"loss_watchdog_threshold": 5.0}, "train.loss_watchdog_threshold", None),
        pytest.param({"eval_steps": 100}, "train.eval_steps", 3),
        pytest.param({"gradient_accumulation_steps": 8}, "train.gradient_accumulation_steps", 1),
    ],
)
def test_what_belongs_elsewhere_is_replaced(values: dict[str, Any], key: str, new: Any) -> None:
    found = {one.key: one.new for one in replacements(values)}
    assert found[key] == new


@pytest.mark.parametrize(
    "values",
    [
        {"chat_template": "chatml"},
        {"chat_template": "tokenizer_default_fallback_chatml"},
        {"lora_modules_to_save": ["embed_tokens", "lm_head"]},
        {"lora_target_modules": ["q_proj", "v_proj"]},
        {"use_tensorboard": True},
        {"tokens": ["[SQL]"]},
        {"eval_steps": 0.05},
        {"load_in_4bit": True, "adapter": "qlora"},
    ],
)
def test_what_works_with_the_tiny_model_is_kept(values: dict[str, Any]) -> None:
    assert [one.key for one in replacements({**values, "max_steps": 3})] == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.text(st.characters(codec="utf-8", exclude_categories=["C"])),
    lambda inner: st.lists(inner, max_size=3),
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(JSON)
def test_a_value_comes_back_from_hydras_grammar(value: Any) -> None:
    (parsed,) = OverridesParser.create().parse_overrides([f"++key={hydra_value(value)}"])
    back = parsed.value()
    assert _plain(back) == value


def _plain(value: Any) -> Any:
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def test_a_wrong_recipe_is_refused_as_in_a_run(loading: Loading, capsys: pytest.CaptureFixture[str]) -> None:
    loading()
    assert run_command(["rehearse", "recipe=mine.yaml", "train.learing_rate=1"]) == 2
    err = capsys.readouterr().err
    assert "[unknown-key]" in err
    assert "max_steps" not in err


def test_without_a_recipe_it_says_how_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["rehearse"]) == 2
    assert "no recipe is named" in capsys.readouterr().err
