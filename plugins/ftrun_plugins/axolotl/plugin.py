"""Registers axolotl's stages `tokenize`, `train` and `merge`, its keys and their check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ftrun import hookimpl
from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun.api.stages import Stage
from ftrun_plugins.axolotl.config.check import check_trainer
from ftrun_plugins.axolotl.merge.stage import Merge
from ftrun_plugins.axolotl.tokenize.stage import Tokenize
from ftrun_plugins.axolotl.train.stage import Train


@hookimpl
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    for stage in (Tokenize, Train, Merge):
        register(stage)


@hookimpl
def ftrun_check_recipe(recipe: Recipe) -> Iterable[Issue]:
    return list(check_trainer(recipe))


@hookimpl
def ftrun_recipe_keys() -> Mapping[str, Iterable[str]]:
    from ftrun_plugins.axolotl.config.schema import known_keys

    return {"train": sorted(known_keys()), "model.trainer": sorted(known_keys())}
