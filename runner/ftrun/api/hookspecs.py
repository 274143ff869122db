"""The hooks through which packages, ftrun's own included, add to ftrun.

A package offers a module under the entry-point group `ftrun`; the module has functions with these names, marked with
`ftrun.hookimpl`. `register_*` hooks offer something, `*_started / *_finished / *_failed` hooks tell something.
Registering is light: import torch and the like where they are used.
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

hookspec = pluggy.HookspecMarker("ftrun")
hookimpl = pluggy.HookimplMarker("ftrun")


@hookspec
def ftrun_register_sources(register: Callable[[type[Source]], None]) -> None:
    """Called once at start: call `register` with each source class."""


@hookspec
def ftrun_register_formatters(register: Callable[[type[Formatter]], None]) -> None:
    """Called once at start: call `register` with each formatter class."""


@hookspec
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    """Called once at start: call `register` with each stage class."""


@hookspec
def ftrun_register_trainers(register: Callable[[type[Trainer]], None]) -> None:
    """Called once at start: call `register` with each trainer class."""


@hookspec
def ftrun_register_evaluators(
    register: Callable[[type[Evaluator | AnswerEvaluator | PairEvaluator]], None],
) -> None:
    """Called once at start: call `register` with each evaluator class."""


@hookspec
def ftrun_register_backends(register: Callable[[type[Backend]], None]) -> None:
    """Called once at start: call `register` with each backend class."""


@hookspec
def ftrun_register_settings(register: Callable[[type[Settings]], None]) -> None:
    """Called once at start: call `register` with the model of each `settings.NAME` that this package reads."""


@hookspec
def ftrun_register_commands(register: Callable[[LazyCommand | click.Command], None]) -> None:
    """Called when the command line is read: call `register` with each further command, best a `LazyCommand`."""


@hookspec
def ftrun_config_sources() -> ConfigFolders:  # type: ignore[empty-body]
    """Called before composition: the folders with this package's recipes and config groups."""


@hookspec
def ftrun_check_recipe(  # type: ignore[empty-body]
    recipe: Recipe, trainer: Trainer, trainer_config: TrainerConfig
) -> Iterable[Issue]:
    """Called by `validate` and before every plan: return what is wrong with the part of the recipe that you own.

    `trainer` is the trainer that the recipe names, `trainer_config` its keys.
    """


@hookspec
def ftrun_check_access(calls: Sequence[StageCall], backend: Backend) -> Iterable[Problem]:  # type: ignore[empty-body]
    """Called before a run starts, with the calls that are not cached: what they need from outside and cannot have.

    That their secrets are there is seen to already.
    This is the place to ask a server, so that a gated model is found out before anything else runs.
    """


@hookspec
def ftrun_recipe_keys() -> Mapping[str, Iterable[str]]:  # type: ignore[empty-body]
    """Called when shell completion is prepared: keys that only this package knows, by the part that they are in.

    The trainer's plugin gives those of `train`. Settings and options are known from their models.
    """


@hookspec
def ftrun_doctor_checks(recipe: Recipe) -> Iterable[DoctorCheck]:  # type: ignore[empty-body]
    """Called by `ftrun doctor`: what this plugin needs of the machine, of accounts and of servers for this recipe.

    Returning is light; the looks themselves run at one time, each within its seconds, and never print a secret.
    """


@hookspec
def ftrun_amend_trainer_config(recipe: Recipe, config: dict[str, Any]) -> None:
    """Called once for a recipe, with the merged trainer keys before they are checked: change them in place."""


@hookspec
def ftrun_run_started(run_id: str) -> None:
    """Called by the scheduler before the first stage call of a run."""


@hookspec
def ftrun_stage_started(run_id: str, call: str) -> None:
    """Called when a stage call begins; `call` is its label. Not called for cached calls."""


@hookspec
def ftrun_event(run_id: str, event: dict[str, Any]) -> None:
    """Called for each event of a run, in the order in which they are written."""


@hookspec
def ftrun_stage_finished(run_id: str, call: str, cached: bool) -> None:
    """Called when the artifact of a stage call is in the store."""


@hookspec
def ftrun_stage_failed(run_id: str, call: str, reason: str) -> None:
    """Called when a stage call ended without its artifact."""


@hookspec
def ftrun_run_finished(run_id: str, status: str) -> None:
    """Called last; `status` is done, failed, gate_not_met or interrupted."""
