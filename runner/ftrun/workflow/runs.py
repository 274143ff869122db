"""Runs of a plan, as Python programs and the command line handle them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftrun.api.artifacts import Evaluations
from ftrun.api.backends import Backend
from ftrun.api.cancellation import StopSignal
from ftrun.api.errors import FtrunError, GateNotMet, Interrupted, InvalidInput, Problem, StageError
from ftrun.api.events import Event
from ftrun.api.paths import RunFolder, Store
from ftrun.api.recipe import Recipe
from ftrun.api.remote import Remote
from ftrun.api.stage_call import Ref
from ftrun.execution.engine import execute, prepare
from ftrun.execution.provenance import collect_provenance
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import plugins
from ftrun.store import runs
from ftrun.store.artifacts import find
from ftrun.store.run_plan import read_plan
from ftrun.utils.atomic_io import write_text
from ftrun.workflow.session import Session

Listen = Callable[[Event], None]
ERRORS: dict[int, type[FtrunError]] = {2: InvalidInput, 3: GateNotMet, 130: Interrupted}


@dataclass(frozen=True)
class Run:
    """A run of a recipe. Its folder is in the store; for a run elsewhere, the folder is a copy."""

    store: Store
    folder: RunFolder
    remote: Remote | None = None

    @property
    def id(self) -> str:
        return self.folder.id

    @property
    def record(self) -> runs.RunRecord:
        """The run record as it is now: status, results, problems, times, cost."""
        return runs.load(self.folder)

    @property
    def status(self) -> str:
        """`waiting`, `running`, `done`, `failed`, `gate_not_met` or `interrupted`."""
        return self.record.status

    def artifact(self, label: str) -> Path:
        """Return the folder of a result, such as `train`, `merge` or `generate:tuned`.

        Raises:
            InvalidInput: If the run has no such result, or its artifact is not on this machine.
        """
        results = self.record.results
        if label not in results:
            what = f"the run `{self.id}` has no result of `{label}`"
            raise InvalidInput(Problem("missing-result", what, expected=f"one of {', '.join(results)}"))
        ref = Ref.parse(results[label]["artifact"])
        if not find(self.store, ref):
            raise InvalidInput(Problem("missing-artifact", f"`{ref}` is not in {self.store.root}", hint="ftrun pull"))
        return self.store.artifact(ref)

    @property
    def evaluation(self) -> dict[str, Any]:
        """By evaluation: means, gain, interval, verdict, gates."""
        return Evaluations(self.artifact("evaluate")).result

    def execute(self, stop: StopSignal | None = None, on_event: Listen | None = None) -> None:
        """Run the calls without an artifact on this machine. Also continues a run that was stopped.

        Raises:
            FtrunError: If the run fails, is stopped, or does not meet a gate.
        """
        execute(self.store, self.folder, plugins(), stop or StopSignal(), on_event)

    def follow(self, on_event: Listen | None = None) -> None:
        """Wait for the end of a run elsewhere.

        Raises:
            FtrunError: If the run failed, was stopped, or did not meet a gate.
        """
        assert self.remote is not None
        for event in self.remote.follow(self.folder):
            if on_event is not None:
                on_event(event)
        if (error := error_of(self.record)) is not None:
            raise error


def error_of(record: runs.RunRecord) -> FtrunError | None:
    """Return the error that a run ended with, from its record; None if it ended well or is not over."""
    problems = [Problem.from_dict(problem) for problem in record.problems]
    if record.status == "interrupted":
        stopped = Problem("stopped", "the run was stopped", hint=f"`ftrun resume {record.id}` continues it")
        return Interrupted(problems or stopped)
    if record.status == "failed" and (record.exit_code or 1) not in ERRORS:
        return StageError("the run", problems)
    return ERRORS[record.exit_code](problems) if record.exit_code in ERRORS else None


def restore_plan(folder: RunFolder, recipe: Recipe, backend: Backend) -> bool:
    """Plan the recipe of a run again if its plan cannot be read; return whether that was so.

    Raises:
        InvalidInput: If the recipe cannot be planned any more, e.g. because a file of rows is missing.
    """
    try:
        read_plan(folder)
    except InvalidInput as error:
        if error.problems[0].code != "damaged-record":
            raise
        write_text(folder.plan, make_plan(recipe, plugins(), backend).model_dump_json(indent=1))
        return True
    return False


def create_run(session: Session, rerun_of: str | None = None) -> Run:
    """Check access and budget, and create the folder of a new run.

    Raises:
        InvalidInput: If access is missing or the cost is over the budget.
    """
    session.check_access()
    session.check_budget()
    loaded = session.loaded
    provenance = collect_provenance(session.plan, session.backend)
    folder = prepare(session.store, loaded.recipe, session.plan, loaded.given, loaded.origins(), provenance, rerun_of)
    return Run(session.store, folder, session.backend.remote)
