"""Registers axolotl's stages `tokenize`, `train` and `merge`, and the check of its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ftrun import hookimpl
from ftrun.contracts import Stage
from ftrun.recipe.findings import Finding
from ftrun.recipe.types import Recipe
from ftrun_plugins.axolotl.check import check_trainer
from ftrun_plugins.axolotl.merge import Merge
from ftrun_plugins.axolotl.tokenize import Tokenize
from ftrun_plugins.axolotl.train import Train


@hookimpl
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    for stage in (Tokenize, Train, Merge):
        register(stage)


@hookimpl
def ftrun_check_recipe(recipe: Recipe) -> Iterable[Finding]:
    return list(check_trainer(recipe))
