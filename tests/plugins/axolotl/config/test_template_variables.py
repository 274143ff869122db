"""Variables of the chat template: one section of the recipe sets them for the trainer and for all that follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.paths import Store
from ftrun.execution.engine import make_backend
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded

Loading = Callable[..., Loaded]
OURS = "model.template.enable_thinking=false"
THEIRS = "train.chat_template_kwargs={enable_thinking: false}"
PARITY = "stages=[fetch,format,tokenize,train,merge,parity,generate,score,evaluate]"
WITH_ANSWERS = ("evals=[exact_match]", PARITY)


@pytest.fixture
def params(loading: Loading, store: Store) -> Callable[..., dict[str, dict[str, Any]]]:
    def plan(*overrides: str) -> dict[str, dict[str, Any]]:
        recipe = loading(*WITH_ANSWERS, *overrides).recipe
        calls = make_plan(recipe, plugins(), make_backend(recipe, plugins(), store)).calls
        return {call.label: call.params for call in calls}

    return plan


@pytest.mark.parametrize("override", [OURS, THEIRS])
def test_every_stage_that_renders_chats_gets_them(
    override: str, params: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    found, expected = params(override), {"enable_thinking": False}
    for label in ("tokenize", "train"):
        assert found[label]["trainer"]["chat_template_kwargs"] == expected
    for label in ("parity:prompts", "generate:base", "generate:tuned"):
        assert found[label]["template"] == expected
    assert "template" not in found["parity:weights"]


def test_without_them_no_parameter_changes(params: Callable[..., dict[str, dict[str, Any]]]) -> None:
    assert all("template" not in values for values in params().values())
    assert "chat_template_kwargs" not in params()["tokenize"]["trainer"]


def test_the_same_values_twice_are_no_conflict(loading: Loading) -> None:
    config = plugins().trainer_config(loading(OURS, THEIRS).recipe)
    assert config.template == {"enable_thinking": False}


@pytest.mark.parametrize(
    ("overrides", "code", "place"),
    [
        ((THEIRS, "model.template.enable_thinking=true"), "conflicting-keys", "override train.chat_template_kwargs"),
        (("model.template.tools=[]",), "invalid-value", "override model.template.tools"),
        (("train.chat_template_kwargs={tools: []}",), "invalid-value", "override train.chat_template_kwargs"),
        (("model.template=on",), "invalid-value", "override model.template"),
    ],
)
def test_refusals(overrides: tuple[str, ...], code: str, place: str, loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading(*overrides)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert place in str(problem.at)
