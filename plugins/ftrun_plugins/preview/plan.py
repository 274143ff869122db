"""What a preview works with: the calls that a run of the recipe would begin with, planned for this machine."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ftrun.api.backends import Backend
from ftrun.api.cancellation import StopSignal, stop_on_signals
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import RunFolder, Store
from ftrun.api.recipe import STAGES, Recipe
from ftrun.api.stage_call import StageCall
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import Plugins
from ftrun.store.artifacts import find
from ftrun.utils.atomic_io import read_json

log = logging.getLogger(__name__)

BEGINNING = ("fetch", "format", "tokenize")


@dataclass(frozen=True)
class PreviewPlan:
    """The first calls of a recipe, whatever its backend is: rows are looked at here."""

    recipe: Recipe
    store: Store
    backend: Backend
    calls: tuple[StageCall, ...]

    def call(self, label: str) -> StageCall:
        return next(call for call in self.calls if call.label == label)

    def artifact(self, call: StageCall) -> Path | None:
        """Its folder, where it is in the store."""
        return self.store.artifact(call.ref) if find(self.store, call.ref) else None

    def made(self, call: StageCall) -> Path:
        """Its folder, made as a run makes it where it is not there yet, and kept as that of a run.

        Raises:
            FtrunError: what it ended with.
        """
        if (folder := self.artifact(call)) is not None:
            return folder
        for ref in call.inputs.values():
            self.made(next(other for other in self.calls if other.ref == ref))
        log.info("%s: not in the store yet; it is made now, and kept", call.label)
        prepare(self.backend, call.environment.name)
        stop = StopSignal()
        with TemporaryDirectory(prefix="ftrun-preview-") as folder_of_run, stop_on_signals(stop):
            outcome = self.backend.runner().run_stage(call, RunFolder(Path(folder_of_run)), stop)
        if outcome.status != "done":
            raise outcome.error(call.label)
        return self.store.artifact(call.ref)

    def totals(self) -> dict[str, Any]:
        """What `tokenize` counted of each split, where a run has got that far already."""
        folder = self.artifact(self.call("tokenize"))
        return dict(read_json(folder / "report.json") or {}) if folder else {}


def local_backend(recipe: Recipe, plugins: Plugins, store: Store) -> Backend:
    """A backend on this machine with the recipe's environments, whatever backend the recipe names: rows are seen here.

    Raises:
        InvalidInput: the recipe has no rows to tokenize.
    """
    if "tokenize" not in recipe.stages and not set(recipe.stages) <= set(STAGES):
        what = "the recipe does not use the stage `tokenize`, whose view of the rows a preview shows"
        raise InvalidInput(Problem("nothing-to-do", what, at="stages"))
    local = plugins.get("backend", "local").cls
    backend: Backend = local(local.Options(), recipe.environment, store)
    return backend


def prepare(backend: Backend, environment: str) -> None:
    """Makes an environment where it is not there yet, as a run does."""
    if not backend.environment_ready(environment):
        log.info("making the environment `%s`, once", environment)
        backend.prepare(environment, log.info)


def plan_beginning(recipe: Recipe, plugins: Plugins, store: Store, backend: Backend) -> PreviewPlan:
    """Raises `InvalidInput` where something that the recipe names is missing."""
    plan = make_plan(recipe.model_copy(update={"stages": BEGINNING}), plugins, backend)
    return PreviewPlan(recipe, store, backend, plan.calls)
