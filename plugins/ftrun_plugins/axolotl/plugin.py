"""Registers axolotl's stages `tokenize`, `train` and `merge`, and the check of its keys."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from ftrun import hookimpl
from ftrun.contracts import Stage
from ftrun.errors import Problem
from ftrun.plan.call import StageCall
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
def ftrun_check_access(calls: Sequence[StageCall]) -> Iterable[Problem]:
    """Trackers whose secrets are not there: found before the run, not after an hour of training."""
    return [
        Problem(
            f"the tracker of `train` needs {name}, which is not in the environment",
            do=f"export {name}=…" + (", or train.wandb_mode=offline" if name == "WANDB_API_KEY" else ""),
        )
        for call in calls
        if call.stage == Train.name
        for name in call.secrets
        if not os.environ.get(name)
    ]


@hookimpl
def ftrun_check_recipe(recipe: Recipe) -> Iterable[Finding]:
    return list(check_trainer(recipe))
