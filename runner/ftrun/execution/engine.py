"""Engine of a run: executes a new or resumed run, in the foreground or in the background."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import cast

import yaml

from ftrun.api.backends import Backend, Runner
from ftrun.api.cancellation import StopSignal
from ftrun.api.disk_errors import store_errors
from ftrun.api.errors import FtrunError, GateNotMet, Interrupted, InvalidInput, Problem
from ftrun.api.events import Event, append, follow
from ftrun.api.paths import RunFolder, Store
from ftrun.api.recipe import Recipe
from ftrun.api.stage_call import Plan
from ftrun.execution.scheduler import Emit, Scheduler
from ftrun.plugins.manager import Plugins
from ftrun.store import env_packages, runs
from ftrun.store.artifacts import find, reader
from ftrun.store.locks import FileLock
from ftrun.store.run_plan import read_plan, read_recipe
from ftrun.store.run_record import CallFacts, CallResult, RecordedProblem
from ftrun.utils.atomic_io import write_json, write_text

Listen = Callable[[Event], None]


def prepare(
    store: Store,
    recipe: Recipe,
    plan: Plan,
    overrides: tuple[str, ...],
    origins: dict[str, str],
    facts: dict[str, object],
    rerun_of: str | None = None,
) -> RunFolder:
    """Create the folder of a new run with its record, its recipe and its plan."""
    with store_errors(store.root):
        folder = runs.create(store, recipe.name, overrides, origins, facts, recipe.backend.name, rerun_of)
        with runs.removed_on_error(folder):
            _save_packages(store, recipe, plan)
            values = recipe.model_dump(mode="json")
            write_text(folder.recipe, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
            write_text(folder.plan, plan.model_dump_json(indent=1))
        return folder


def _save_packages(store: Store, recipe: Recipe, plan: Plan) -> None:
    for used in {call.environment for call in plan.calls}:
        declared = recipe.environment.get(used.name)
        if used.digest and declared is not None and declared.lock is not None:
            env_packages.save_packages(store, used.digest, declared.lock)


def make_backend(recipe: Recipe, plugins: Plugins, store: Store) -> Backend:
    """Return the backend that a recipe names, with validated options."""
    cls = plugins.get("backend", recipe.backend.name).cls
    backend: Backend = cls(cls.Options.model_validate(recipe.backend.options), recipe.environment, store)
    return backend


def execute(
    store: Store, folder: RunFolder, plugins: Plugins, stop: StopSignal, listen: Listen | None = None
) -> runs.RunRecord:
    """Run the calls of a run that have no artifact yet, and update its record.

    Raises:
        InvalidInput: If another process is executing the run.
        FtrunError: If the run fails, is stopped or does not meet a gate. The record contains the same problems.
    """
    from ftrun.report.page import save_report

    with store_errors(store.root), FileLock(folder.lock) as lock:
        if not lock.try_acquire():
            raise InvalidInput(
                Problem(
                    "run-active",
                    f"the run `{folder.id}` is already running",
                    hint=f"follow it with `ftrun logs -f {folder.id}`",
                )
            )
        record, plan = runs.load(folder), read_plan(folder)
        write_json(folder.scheduler, {"pid": os.getpid()})
        record.status, record.started, record.ended, record.problems = "running", time.time(), None, ()
        runs.save(folder, record)
        with _follow_events(folder, plugins, listen):
            error = _execute(store, folder, plan, plugins, stop)
            close_record(record, store, plan, error)
            runs.save(folder, record)
            save_report(folder, reader(store), partial(append, folder.events))
            append(folder.events, "run_finished", status=record.status)
        _warn(folder, plugins.emit("ftrun_run_finished", run_id=folder.id, status=record.status))
    if error:
        raise error
    return record


def _execute(store: Store, folder: RunFolder, plan: Plan, plugins: Plugins, stop: StopSignal) -> FtrunError | None:
    """Run the plan of a run; return the error with which it ended, or None."""

    def emit(kind: str, call: str | None = None, /, **values: object) -> None:
        append(folder.events, kind, call, **values)

    try:
        with store_errors(store.root):
            backend = make_backend(read_recipe(folder), plugins, store)
            return run_plan(store, folder, plan, backend.runner(), stop, emit)
    except FtrunError as error:
        return error


def run_plan(
    store: Store, folder: RunFolder, plan: Plan, runner: Runner, stop: StopSignal, emit: Emit
) -> FtrunError | None:
    """Run the calls of a plan that have no artifact yet; return the error with which it ended, or None.

    Used on this machine and on the machines of a backend.
    """
    emit("run_started", calls=[call.label for call in plan.calls])
    scheduler = Scheduler(store, plan, folder, runner, stop, emit)
    scheduler.run()
    stopped_last = sorted(scheduler.failures, key=lambda failure: failure[1].status == "stopped")
    if stopped_last:
        call, outcome = stopped_last[0]
        return outcome.error(call.label)
    if stop.level:
        return Interrupted(Problem("stopped", "the run was stopped", hint=f"continue with `ftrun resume {folder.id}`"))
    return _check_gates(store, plan)


def _check_gates(store: Store, plan: Plan) -> FtrunError | None:
    missed = [
        Problem(
            "gate-not-met",
            f"the gate of `{gate.name}` is not met: {gate.detail}",
            hint="the model and its evaluation are kept; change the recipe or the gate",
        )
        for call in plan.calls
        for gate in getattr(find(store, call.ref), "gates", ())
        if not gate.met
    ]
    return GateNotMet(missed) if missed else None


def close_record(record: runs.RunRecord, store: Store, plan: Plan, error: FtrunError | None) -> None:
    """Set the final status, problems, exit code and results of a record."""
    record.status = _status(error)
    record.problems = tuple(cast("RecordedProblem", problem.as_dict()) for problem in error.problems) if error else ()
    record.exit_code = error.exit_code if error else 0
    record.results = _collect_results(store, plan)
    record.ended = time.time()


def _status(error: FtrunError | None) -> runs.Status:
    if error is None:
        return "done"
    if isinstance(error, Interrupted):
        return "interrupted"
    return "gate_not_met" if isinstance(error, GateNotMet) else "failed"


def _collect_results(store: Store, plan: Plan) -> dict[str, CallResult]:
    """Return metrics and artifacts by call label, for the calls that have an artifact."""
    manifests = {call.label: (call, find(store, call.ref)) for call in plan.calls}
    return {
        label: {
            "artifact": str(call.ref),
            "seconds": manifest.seconds,
            "metrics": manifest.metrics,
            "facts": cast("CallFacts", manifest.facts),
        }
        for label, (call, manifest) in manifests.items()
        if manifest
    }


@contextmanager
def _follow_events(folder: RunFolder, plugins: Plugins, listen: Listen | None) -> Iterator[None]:
    """Follow the event log of a run in a thread, and pass each event to the hooks and the listener."""
    ended = threading.Event()
    start = folder.events.stat().st_size if folder.events.exists() else 0

    def dispatch() -> None:
        for event in follow(folder.events, ended.is_set, start=start):
            _warn(folder, dispatch_event(plugins, folder.id, event))
            if listen:
                listen(event)

    thread = threading.Thread(target=dispatch, name="events", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _warn(folder: RunFolder, problems: Iterable[Problem]) -> None:
    for problem in problems:
        append(folder.events, "warning", None, text=warning_text(problem))


def warning_text(problem: Problem) -> str:
    """Return the failure of a plugin as one line; the failure does not stop the run."""
    return f"{problem.what} ({problem.at})" if problem.at else problem.what


def dispatch_event(plugins: Plugins, run_id: str, event: Event) -> list[Problem]:
    """Call the plugin hooks of an event; return the failures of the plugins that raised."""
    call = event.get("call")
    problems = plugins.emit("ftrun_event", run_id=run_id, event=event)
    match event["kind"]:
        case "run_started":
            problems += plugins.emit("ftrun_run_started", run_id=run_id)
        case "call_started":
            problems += plugins.emit("ftrun_stage_started", run_id=run_id, call=call)
        case "call_cached" | "call_finished":
            cached = event["kind"] == "call_cached"
            problems += plugins.emit("ftrun_stage_finished", run_id=run_id, call=call, cached=cached)
        case "call_failed":
            reason = "; ".join(problem["what"] for problem in event.get("problems", ()))
            problems += plugins.emit("ftrun_stage_failed", run_id=run_id, call=call, reason=reason)
    return problems
