"""Combinations of keys that the trainer refuses are refused by `validate`, with their places."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ftrun.api.errors import InvalidInput, Problem
from ftrun.recipe.load import Loaded
from ftrun_plugins.axolotl.config.combinations import COMBINATIONS
from helpers.combinations import CASES, mend

Loading = Callable[..., Loaded]


def overrides(values: Mapping[str, Any]) -> list[str]:
    adapter = values.get("adapter", "lora")
    group = {"lora": "lora", "qlora": "lora", None: "full"}[adapter]
    keys = {key: value for key, value in values.items() if not (key == "adapter" and adapter != "qlora")}
    texts = {key: json.dumps(value).replace('"', "") for key, value in keys.items()}
    validation = "dataset.split.validation=0.1"  # else no key may choose a checkpoint
    return [
        f"optimizations=[{group}]",
        validation,
        *(f"train.{key}={text.replace(': ', ':')}" for key, text in texts.items()),
    ]


def problems_of(loading: Loading, values: Mapping[str, Any]) -> list[Problem]:
    with pytest.raises(InvalidInput) as caught:
        loading(*overrides(values))
    return list(caught.value.problems)


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_combination_is_one_problem_at_its_override(name: str, loading: Loading) -> None:
    (problem,) = problems_of(loading, CASES[name].values)

    assert problem.code in ("conflicting-keys", "missing-key")
    assert problem.at
    assert problem.at.startswith("override train.")
    assert problem.hint


@pytest.mark.parametrize("name", CASES)
def test_what_is_mended_is_valid(name: str, loading: Loading) -> None:
    loading(*overrides(mend(CASES[name])))


def test_each_rule_has_a_case() -> None:
    wrong = [{"adapter": "lora", **case.values} for case in CASES.values()]
    assert all(any(rule.is_wrong(values) for values in wrong) for rule in COMBINATIONS)


@pytest.mark.parametrize("pattern", ["[", "(q_proj", "*proj"])
def test_target_modules_that_are_no_pattern(pattern: str, loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading("optimizations=[lora]", f"optimizations.lora.lora_target_modules='{pattern}'")
    (problem,) = caught.value.problems
    assert (problem.code, "lora_target_modules" in str(problem.at)) == ("invalid-value", True)


@pytest.mark.parametrize("modules", ["'.*_proj'", "all-linear", "[q_proj,v_proj]"])
def test_target_modules_that_are_right(modules: str, loading: Loading) -> None:
    loading("optimizations=[lora]", f"optimizations.lora.lora_target_modules={modules}")


def test_a_recipe_that_switches_evaluations_off_needs_no_held_out_rows(loading: Loading) -> None:
    loading("train.eval_strategy=no", "dataset.held_out=null", "dataset.split.held_out=0", "evals=[]")
