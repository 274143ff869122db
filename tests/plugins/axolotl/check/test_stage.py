from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ftrun.api.backends import Hardware
from ftrun.api.paths import Store
from ftrun.api.stage_call import Plan, StageCall
from ftrun.execution.engine import make_backend
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded
from ftrun_plugins.local.backend import LocalBackend

Planned = Callable[..., dict[str, StageCall]]
CHECKS = ["check:config", "check:model"]


@pytest.fixture
def planned(loading: Callable[..., Loaded], store: Store) -> Planned:
    """The calls of the small recipe with overrides, by label."""

    def plan(*overrides: str) -> dict[str, StageCall]:
        recipe = loading(*overrides).recipe
        made: Plan = make_plan(recipe, plugins(), make_backend(recipe, plugins(), store))
        return {call.label: call for call in made.calls}

    return plan


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def hardware(self: LocalBackend, stage: str, resources: Any) -> Hardware:
        return Hardware("gpu", resources.gpus or 1, "GPUs", resources.kinds_of_gpu)

    monkeypatch.setattr(LocalBackend, "hardware", hardware)


@pytest.mark.usefixtures("gpus")
def test_no_gpu_is_used_before_the_checks_have_succeeded(planned: Planned) -> None:
    calls = planned("resources.train.gpu=H100")
    refs = {calls[label].ref for label in CHECKS}
    assert all(calls[label].preflight and calls[label].work.gpus == 0 for label in CHECKS)
    assert calls["train"].work.gpus == 1
    assert refs <= calls["train"].requirements
    assert refs <= calls["tokenize"].requirements
    assert list(calls).index("check:model") < list(calls).index("tokenize")


def test_the_configuration_is_checked_while_the_model_is_fetched(planned: Planned) -> None:
    assert not planned()["check:config"].requirements


def test_nothing_is_checked_without_training(planned: Planned) -> None:
    assert set(CHECKS).isdisjoint(planned("stages=[fetch,format,tokenize]"))


def test_the_checks_can_run_alone(planned: Planned) -> None:
    assert list(planned("stages=[fetch,check]")) == ["fetch:model", *CHECKS]


def test_the_checks_are_planned_once(planned: Planned) -> None:
    calls = planned("stages=[fetch,check,format,tokenize,train]")
    assert [label for label in calls if label.startswith("check:")] == CHECKS


@pytest.mark.usefixtures("gpus")
def test_another_kind_of_gpu_is_checked_anew_and_trains_nothing_anew(planned: Planned) -> None:
    first, second = (planned(f"resources.train.gpu={gpu}") for gpu in ("H100", "A100-80GB"))
    assert first["check:config"].key != second["check:config"].key
    assert first["train"].key == second["train"].key


def test_places_in_the_recipe_are_known_to_the_checks(planned: Planned) -> None:
    origins = planned()["check:config"].params["origins"]
    assert origins["lora_r"] == "optimizations.lora.lora_r"
    assert origins["num_epochs"] == "train.num_epochs"
