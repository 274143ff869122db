"""A composed recipe takes other values where that is allowed, and is as strict about them as it was before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Recipe
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded
from ftrun.recipe.run_overrides import apply_overrides

SECTIONS = (("serve",), ("resources", "serve"))


@pytest.fixture
def recipe(loading: Callable[..., Loaded]) -> Recipe:
    return loading("serve=vllm", "resources.train.cpu=1").recipe


def problem(recipe: Recipe, *overrides: str) -> Problem:
    with pytest.raises(InvalidInput) as refused:
        apply_overrides(recipe, overrides, SECTIONS, plugins())
    return refused.value.problems[0]


def test_values_are_changed_and_the_rest_is_kept(recipe: Recipe) -> None:
    found = apply_overrides(
        recipe, ["serve.max_model_len=1024", "serve.engine=null", "+resources.serve.gpu=H100:2"], SECTIONS, plugins()
    )
    assert (found.serve.max_model_len, found.serve.engine, found.serve.merged) == (1024, None, True)
    assert found.server_resources.gpus == 2
    assert found.resources_of("train") == recipe.resources_of("train")
    assert found.model == recipe.model
    assert apply_overrides(recipe, [], SECTIONS, plugins()) is recipe


@pytest.mark.parametrize(
    ("override", "what", "nearest"),
    [
        ("serve.max_model_length=1024", "unknown key `serve.max_model_length`", ("max_model_len",)),
        ("serve.max_model_len=long", "`serve.max_model_len` is 'long'", ()),
        ("serve.max_requests.x=1", "`serve.max_requests` is {'x': 1}", ()),
        ("serve.engine=vlm", "`serve.engine` is 'vlm'", ()),
        ("resources.serve.gqu=1", "unknown key `resources.serve.gqu`", ("gpu",)),
        ("serve.max_model_len=[1", "cannot read the override", ()),
    ],
)
def test_a_wrong_value_is_told_with_its_place(
    recipe: Recipe, override: str, what: str, nearest: tuple[str, ...]
) -> None:
    found = problem(recipe, override)
    assert what in found.what
    assert found.at == f"override {override}"
    assert found.did_you_mean[:1] == nearest


@pytest.mark.parametrize(
    "override", ["train.num_epochs=3", "serve=vllm_adapter", "~serve.engine", "resources.train.cpu=2", "serves.x=1"]
)
def test_what_made_the_run_cannot_be_changed(recipe: Recipe, override: str) -> None:
    found = problem(recipe, "serve.idle=60", override)
    assert (found.code, f"`{override}`" in found.what) == ("invalid-override", True)
    assert found.expected == "serve.KEY=VALUE or resources.serve.KEY=VALUE"
