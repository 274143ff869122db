"""Registration of the stage `format` and of the checks of the recipe's dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ftrun.api.issues import Issue
    from ftrun.api.recipe import Recipe
    from ftrun.api.stages import Stage


@hookimpl
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    from ftrun_plugins.data.format.stage import Format

    register(Format)


@hookimpl
def ftrun_check_recipe(recipe: Recipe) -> Iterable[Issue]:
    from ftrun_plugins.data.format.check import check

    return check(recipe.dataset)
