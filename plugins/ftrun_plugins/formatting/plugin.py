"""Registers the stage `format` and checks the part of the recipe that it alone reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ftrun import hookimpl
from ftrun.contracts import Stage
from ftrun.recipe.findings import Finding
from ftrun.recipe.types import Recipe
from ftrun_plugins.formatting.check import check
from ftrun_plugins.formatting.stage import Format


@hookimpl
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    register(Format)


@hookimpl
def ftrun_check_recipe(recipe: Recipe) -> Iterable[Finding]:
    return check(recipe.dataset)
