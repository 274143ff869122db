"""Plugin that registers the trainer axolotl, its stages and the check of its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ftrun.api.consent import ConsentItem
    from ftrun.api.issues import Issue
    from ftrun.api.recipe import Recipe
    from ftrun.api.stages import Stage
    from ftrun.api.trainers import Trainer, TrainerConfig


@hookimpl
def ftrun_register_trainers(register: Callable[[type[Trainer]], None]) -> None:
    from ftrun_plugins.axolotl.trainer import Axolotl

    register(Axolotl)


@hookimpl
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    from ftrun_plugins.axolotl.check.stage import Check
    from ftrun_plugins.axolotl.merge.stage import Merge
    from ftrun_plugins.axolotl.tokenize.stage import Tokenize
    from ftrun_plugins.axolotl.train.stage import Train

    for stage in (Check, Tokenize, Train, Merge):
        register(stage)


@hookimpl
def ftrun_check_recipe(recipe: Recipe, trainer_config: TrainerConfig) -> Iterable[Issue]:
    from ftrun_plugins.axolotl.config.check import check_trainer
    from ftrun_plugins.axolotl.trainer import Axolotl

    return list(check_trainer(recipe, trainer_config)) if recipe.trainer == Axolotl.name else []


@hookimpl
def ftrun_consent_items(recipe: Recipe, trainer_config: TrainerConfig) -> Iterable[ConsentItem]:
    from ftrun_plugins.axolotl.config.consent import find_items
    from ftrun_plugins.axolotl.trainer import Axolotl

    return list(find_items(recipe, trainer_config)) if recipe.trainer == Axolotl.name else []


@hookimpl
def ftrun_recipe_keys() -> Mapping[str, Iterable[str]]:
    from ftrun_plugins.axolotl.config.schema import known_keys

    return {"train": sorted(known_keys()), "model.trainer": sorted(known_keys())}
