"""Plan of the first calls of a recipe on this machine, for a preview."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ftrun.api.artifacts import TokenizedRows
from ftrun.api.backends import Backend
from ftrun.api.cancellation import StopSignal, stop_on_signals
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import RunFolder, Store
from ftrun.api.recipe import STAGES, Recipe
from ftrun.api.stage_call import StageCall
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import Plugins
from ftrun.store.artifacts import find
from ftrun.store.input_check import check_artifacts
from ftrun.utils.atomic_io import read_json

log = logging.getLogger(__name__)

FIRST_STAGES = ("fetch", "format", "tokenize")


@dataclass(frozen=True)
class PreviewPlan:
    """The first calls of a recipe, planned for this machine and not for the recipe's backend."""

    recipe: Recipe
    store: Store
    backend: Backend
    calls: tuple[StageCall, ...]

    def call(self, label: str) -> StageCall:
        """Return the call with this label."""
        return next(call for call in self.calls if call.label == label)

    def find_artifact(self, call: StageCall) -> Path | None:
        """Return the folder of a call's artifact, or None if it is not in the store."""
        if not find(self.store, call.ref):
            return None
        if damaged := check_artifacts(self.store, [call.ref]):
            raise InvalidInput(damaged)
        return self.store.artifact(call.ref)

    def make_artifact(self, call: StageCall) -> Path:
        """Return the folder of a call's artifact; run the call if it is not in the store.

        Raises:
            FtrunError: If the call fails.
        """
        if (folder := self.find_artifact(call)) is not None:
            return folder
        for ref in call.inputs.values():
            self.make_artifact(next(other for other in self.calls if other.ref == ref))
        log.info("%s: not in the store; running it now", call.label)
        prepare_environment(self.backend, call.environment.name)
        stop = StopSignal()
        with TemporaryDirectory(prefix="ftrun-preview-") as run_folder, stop_on_signals(stop):
            outcome = self.backend.runner().run_stage(call, RunFolder(Path(run_folder)), stop)
        if outcome.status != "done":
            raise outcome.error(call.label)
        return self.store.artifact(call.ref)

    def read_totals(self) -> dict[str, Any]:
        """Return the counts of `tokenize` by split; empty if no run has tokenized these rows."""
        folder = self.find_artifact(self.call("tokenize"))
        return dict(read_json(folder / TokenizedRows.REPORT) or {}) if folder else {}


def make_local_backend(recipe: Recipe, plugins: Plugins, store: Store) -> Backend:
    """Return a backend for this machine with the recipe's environments, instead of the recipe's backend.

    Raises:
        InvalidInput: If the recipe has no rows to tokenize.
    """
    if "tokenize" not in recipe.stages and not set(recipe.stages) <= set(STAGES):
        what = "a preview needs the stage `tokenize`, which the recipe does not use"
        raise InvalidInput(Problem("nothing-to-do", what, at="stages"))
    local = plugins.get("backend", "local").cls
    backend: Backend = local(local.Options(), recipe.environment, store)
    return backend


def prepare_environment(backend: Backend, environment: str) -> None:
    """Create an environment if it does not exist."""
    if not backend.environment_ready(environment):
        log.info("creating the environment `%s`", environment)
        backend.prepare(environment, log.info)


def plan_first_calls(recipe: Recipe, plugins: Plugins, store: Store, backend: Backend) -> PreviewPlan:
    """Plan the first calls of a recipe.

    Raises:
        InvalidInput: If something that the recipe names does not exist.
    """
    plan = make_plan(recipe.model_copy(update={"stages": FIRST_STAGES}), plugins, backend)
    return PreviewPlan(recipe, store, backend, plan.calls)
