"""Hook specifications: the functions that a plugin implements to extend ftrun. The plugins of ftrun use them too.

A plugin is a module under the entry-point group `ftrun`. It has functions with the names below, marked with
`ftrun.hookimpl`. A `ftrun_register_*` hook registers components. A `*_started`, `*_finished` or `*_failed` hook informs
the plugin about a run. ftrun calls the registration hooks at every start, so import heavy packages such as torch inside
the functions that use them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import click

    from ftrun.api.backends import Backend
    from ftrun.api.commands import LazyCommand
    from ftrun.api.config_dirs import ConfigFolders
    from ftrun.api.consent import ConsentItem
    from ftrun.api.doctor import DoctorCheck
    from ftrun.api.errors import Problem
    from ftrun.api.evaluators import AnswerEvaluator, Evaluator, PairEvaluator
    from ftrun.api.formatters import Formatter
    from ftrun.api.issues import Issue
    from ftrun.api.recipe import Recipe
    from ftrun.api.sources import Source
    from ftrun.api.stage_call import StageCall
    from ftrun.api.stages import Settings, Stage
    from ftrun.api.trainers import Trainer, TrainerConfig

__all__ = [
    "ftrun_amend_trainer_config",
    "ftrun_check_access",
    "ftrun_check_recipe",
    "ftrun_config_sources",
    "ftrun_consent_items",
    "ftrun_doctor_checks",
    "ftrun_event",
    "ftrun_recipe_keys",
    "ftrun_register_backends",
    "ftrun_register_commands",
    "ftrun_register_evaluators",
    "ftrun_register_formatters",
    "ftrun_register_settings",
    "ftrun_register_sources",
    "ftrun_register_stages",
    "ftrun_register_trainers",
    "ftrun_run_finished",
    "ftrun_run_started",
    "ftrun_stage_failed",
    "ftrun_stage_finished",
    "ftrun_stage_started",
    "hookimpl",
    "hookspec",
]

hookspec = pluggy.HookspecMarker("ftrun")
hookimpl = pluggy.HookimplMarker("ftrun")


@hookspec
def ftrun_register_sources(register: Callable[[type[Source]], None]) -> None:
    """Register sources: call `register` with each class. Called once at startup."""


@hookspec
def ftrun_register_formatters(register: Callable[[type[Formatter]], None]) -> None:
    """Register formatters: call `register` with each class. Called once at startup."""


@hookspec
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    """Register stages: call `register` with each class. Called once at startup."""


@hookspec
def ftrun_register_trainers(register: Callable[[type[Trainer]], None]) -> None:
    """Register trainers: call `register` with each class. Called once at startup."""


@hookspec
def ftrun_register_evaluators(
    register: Callable[[type[Evaluator | AnswerEvaluator | PairEvaluator]], None],
) -> None:
    """Register evaluators: call `register` with each class. Called once at startup."""


@hookspec
def ftrun_register_backends(register: Callable[[type[Backend]], None]) -> None:
    """Register backends: call `register` with each class. Called once at startup."""


@hookspec
def ftrun_register_settings(register: Callable[[type[Settings]], None]) -> None:
    """Register settings: call `register` with the model of each `settings.NAME` that the plugin reads.

    Called once at startup.
    """


@hookspec
def ftrun_register_commands(register: Callable[[LazyCommand | click.Command], None]) -> None:
    """Register commands: call `register` with each one, preferably a `LazyCommand`.

    Called when the command line is parsed.
    """


@hookspec
def ftrun_config_sources() -> ConfigFolders:  # type: ignore[empty-body]
    """Return the folders with the recipes and config groups of the plugin. Called before composition."""


@hookspec
def ftrun_check_recipe(  # type: ignore[empty-body]
    recipe: Recipe, trainer: Trainer, trainer_config: TrainerConfig
) -> Iterable[Issue]:
    """Return the errors in the part of the recipe for which the plugin is responsible.

    Called by `ftrun validate` and before every plan.

    Args:
        recipe: The composed recipe.
        trainer: The trainer that the recipe names.
        trainer_config: The trainer keys of the recipe.
    """


@hookspec
def ftrun_consent_items(  # type: ignore[empty-body]
    recipe: Recipe, trainer_config: TrainerConfig
) -> Iterable[ConsentItem]:
    """Return what the plugin would run or send because of the recipe: code of others, and data to a host.

    Called before every plan, and before a recorded recipe runs again. Return every such item:
    ftrun asks the user only about values that come from neither the command line nor an installed package.

    Args:
        recipe: The composed recipe.
        trainer_config: The trainer keys of the recipe.
    """


@hookspec
def ftrun_check_access(calls: Sequence[StageCall], backend: Backend) -> Iterable[Problem]:  # type: ignore[empty-body]
    """Return a problem for each external resource, such as a gated model, that the calls need and cannot access.

    Called before a run starts. Send requests to servers in this hook, so that ftrun reports an inaccessible resource
    before any call runs. ftrun has already checked that the secrets of the calls are set.

    Args:
        calls: The calls of the plan that are not cached.
        backend: The backend that will run them.
    """


@hookspec
def ftrun_recipe_keys() -> Mapping[str, Iterable[str]]:  # type: ignore[empty-body]
    """Return keys for shell completion that only the plugin knows, by their section of the recipe, such as `train`.

    Called when ftrun builds the cache of shell completion. The plugin of a trainer returns the keys of `train`. ftrun
    reads the names of settings and options from their models.
    """


@hookspec
def ftrun_doctor_checks(recipe: Recipe) -> Iterable[DoctorCheck]:  # type: ignore[empty-body]
    """Return checks of the machine, accounts and servers that the plugin needs for this recipe.

    Called by `ftrun doctor`. Return the checks without running them. ftrun runs them in parallel, each with its time
    limit. A check must never print a secret.
    """


@hookspec
def ftrun_amend_trainer_config(recipe: Recipe, config: dict[str, Any]) -> None:
    """Change the merged trainer keys of a recipe in place, before they are checked. Called once per recipe."""


@hookspec
def ftrun_run_started(run_id: str) -> None:
    """Handle the start of a run. Called by the scheduler before the first stage call."""


@hookspec
def ftrun_stage_started(run_id: str, call: str) -> None:
    """Handle the start of a stage call. `call` is its label. Not called for cached calls."""


@hookspec
def ftrun_event(run_id: str, event: dict[str, Any]) -> None:
    """Handle an event of a run. Called for each event, in the order in which events are written."""


@hookspec
def ftrun_stage_finished(run_id: str, call: str, cached: bool) -> None:
    """Handle a stage call whose artifact is in the store. `cached` is true if the call did not run."""


@hookspec
def ftrun_stage_failed(run_id: str, call: str, reason: str) -> None:
    """Handle a stage call that ended without an artifact."""


@hookspec
def ftrun_run_finished(run_id: str, status: str) -> None:
    """Handle the end of a run. Called last. `status` is done, failed, gate_not_met or interrupted."""
