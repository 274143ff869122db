"""Hooks of serving: checks of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ftrun.api.commands import LazyCommand
    from ftrun.api.issues import Issue
    from ftrun.api.recipe import Recipe
    from ftrun.api.trainers import Trainer, TrainerConfig


@hookimpl
def ftrun_check_recipe(recipe: Recipe, trainer: Trainer, trainer_config: TrainerConfig) -> Iterable[Issue]:
    from ftrun_plugins.serving.check import check_serving

    return check_serving(recipe, trainer_config, trainer.adapter_layout(trainer_config.values))


@hookimpl
def ftrun_register_commands(register: Callable[[LazyCommand], None]) -> None:
    from ftrun.api.commands import LazyCommand

    register(
        LazyCommand("serve", "ftrun_plugins.serving.commands:serve", "Serve the models of a run through OpenAI's API.")
    )
    register(
        LazyCommand("chat", "ftrun_plugins.serving.commands:chat", "Chat with the models of a run in the terminal.")
    )
