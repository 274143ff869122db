"""The trainer configuration of a recipe is built once, for its checks and for its plan."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from ftrun import hookimpl
from ftrun.api.paths import Store
from ftrun.execution.engine import make_backend
from ftrun.planning.planner import make_plan
from ftrun.plugins.builtin import BUILTIN_PLUGINS
from ftrun.plugins.manager import Plugins
from ftrun.recipe.load import Loaded, load


class Amending(ModuleType):
    """A plugin that raises the rank, and counts how often it is called."""

    def __init__(self) -> None:
        super().__init__("amending")
        self.calls = 0
        self.ftrun_amend_trainer_config = hookimpl(lambda config: self._amend(config))

    def _amend(self, config: dict[str, Any]) -> None:
        self.calls += 1
        config["lora_r"] = 64


@pytest.fixture
def amending() -> Amending:
    return Amending()


@pytest.fixture
def plugins(amending: Amending) -> Plugins:
    found = Plugins()
    for name in BUILTIN_PLUGINS:
        found.load(importlib.import_module(name), name, "ftrun")
    found.load(amending, "amending", "amending 1.0")
    return found


def test_the_configuration_is_built_once_for_checks_and_plan(
    amending: Amending, plugins: Plugins, loading: Callable[..., Loaded], store: Store
) -> None:
    loading()
    amending.calls = 0
    recipe = load(["recipe=mine.yaml"], plugins).recipe
    assert amending.calls == 1
    plan = make_plan(recipe, plugins, make_backend(recipe, plugins, store))
    assert amending.calls == 1
    train = next(call for call in plan.calls if call.label == "train")
    assert train.params["trainer"]["lora_r"] == 64


def test_another_recipe_has_a_configuration_of_its_own(plugins: Plugins, loading: Callable[..., Loaded]) -> None:
    loading()
    first = load(["recipe=mine.yaml"], plugins).recipe
    other = load(["recipe=mine.yaml", "train.learning_rate=0.5"], plugins).recipe
    assert plugins.trainer_config(other).values["learning_rate"] == 0.5
    assert plugins.trainer_config(first).values["learning_rate"] != 0.5
