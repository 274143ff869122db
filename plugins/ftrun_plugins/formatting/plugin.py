"""Registers the stage `format` and checks the part of the recipe that it alone reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ftrun import hookimpl
from ftrun.contracts import Stage
from ftrun.recipe.findings import Finding
from ftrun.recipe.types import Recipe
from ftrun_plugins.formatting.stage import Format


@hookimpl
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    register(Format)


@hookimpl
def ftrun_check_recipe(recipe: Recipe) -> Iterable[Finding]:
    dataset = recipe.dataset
    if dataset.held_out_limit and dataset.held_out is None:
        place, do = ("dataset", "held_out_limit"), "set dataset.limit, which bounds the rows that are split"
        return [Finding(place, "`dataset.held_out_limit` bounds `dataset.held_out`, which names no source", do=do)]
    if dataset.held_out is None or dataset.split.held_out == 0:
        return []
    what = f"`dataset.split.held_out` is {dataset.split.held_out}, but `dataset.held_out` names held-out rows already"
    place, other = ("dataset", "split", "held_out"), ("dataset", "held_out")
    return [Finding(place, what, "0, or no `dataset.held_out`", also=(other,))]
