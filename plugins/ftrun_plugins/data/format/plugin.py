"""Registers the stage `format` and checks the part of the recipe that it alone reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ftrun import hookimpl
from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun.api.stages import Stage
from ftrun_plugins.data.format.check import check
from ftrun_plugins.data.format.stage import Format


@hookimpl
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    register(Format)


@hookimpl
def ftrun_check_recipe(recipe: Recipe) -> Iterable[Issue]:
    return check(recipe.dataset)
