"""Preflight calls: calls that only check a recipe, which `ftrun plan` runs on this machine."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from ftrun.api.backends import Backend
from ftrun.api.cancellation import StopSignal, stop_on_signals
from ftrun.api.outcome import StageOutcome
from ftrun.api.paths import RunFolder
from ftrun.api.stage_call import StageCall
from ftrun.store.artifacts import find
from ftrun.workflow.session import Session

LOCAL = "local"


def run_preflight(session: Session) -> None:
    """Run the preflight calls that are not cached, if this machine has their environments and inputs.

    Raises:
        FtrunError: If a call fails. An InvalidInput has the problems of all calls.
    """
    backend = _make_local_backend(session)
    calls = [call for call in session.plan.calls if call.preflight and _can_run(call, session, backend)]
    if not calls:
        return
    print(f"ftrun: checking the recipe in the environment `{calls[0].environment.name}`", file=sys.stderr)
    stop = StopSignal()
    with TemporaryDirectory(prefix="ftrun-plan-") as folder, stop_on_signals(stop), ThreadPoolExecutor() as pool:
        runner = backend.runner()
        outcomes = list(pool.map(lambda call: runner.run_stage(call, RunFolder(Path(folder)), stop), calls))
    failed = [(call, outcome) for call, outcome in zip(calls, outcomes, strict=True) if outcome.status != "done"]
    if failed:
        call, outcome = failed[0]
        problems = dict.fromkeys(problem for _, other in failed for problem in other.problems)
        raise StageOutcome(outcome.status, outcome.fault, tuple(problems)).error(call.label)


def _make_local_backend(session: Session) -> Backend:
    """Return the backend of the session, or one for this machine if the session runs elsewhere."""
    if session.backend.remote is None:
        return session.backend
    local = session.plugins.get("backend", LOCAL).cls
    backend: Backend = local(local.Options(), session.loaded.recipe.environment, session.store)
    return backend


def _can_run(call: StageCall, session: Session, backend: Backend) -> bool:
    if find(session.store, call.ref) or not backend.environment_ready(call.environment.name):
        return False
    return all(find(session.store, ref) for ref in call.requirements)
