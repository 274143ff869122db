"""Backend `local`: runs each stage call as a process on this machine, in the interpreter of its environment."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from ftrun.api.backends import Backend, Hardware
from ftrun.api.cancellation import StopSignal
from ftrun.api.context import Reporter
from ftrun.api.errors import FtrunError, InvalidInput, Problem
from ftrun.api.events import append
from ftrun.api.outcome import StageOutcome
from ftrun.api.paths import RunFolder, Store
from ftrun.api.recipe import Environment, Resources
from ftrun.api.rows import Options
from ftrun.api.stage_call import CLIENT, StageCall
from ftrun.api.stored_files import read_process
from ftrun.execution.stage_subprocess import ProcessSpec, StageProcess, send_stop
from ftrun.execution.warm_parent import WarmParent, can_fork, warm_parent
from ftrun.store.artifacts import find
from ftrun.store.input_check import check_artifacts, count_changed_bytes
from ftrun.store.locks import FileLock
from ftrun.store.run_plan import read_plan
from ftrun_plugins.local.environments import LocalEnvironment
from ftrun_plugins.local.hardware import cores, gpus

SECONDS_BETWEEN_TRIES = 0.3


class LocalBackend(Backend):
    """Backend that runs stage calls as subprocesses. If another process works on a key, it waits for that process."""

    name: ClassVar[str] = "local"

    class Options(Options):
        """No options. Resources are set in the recipe."""

    def __init__(self, options: Any, environments: Mapping[str, Environment], store: Store) -> None:
        self._environments = {name: LocalEnvironment(name, declared) for name, declared in environments.items()}
        self._store = store
        self._parents: dict[str, WarmParent] = {}  # by name of the environment; they end with this object
        self._parents_lock = threading.Lock()
        self._preloaded_runs: set[str] = set()  # ids of runs whose parents have been started

    def hardware(self, stage: str, resources: Resources) -> Hardware:
        wanted = resources.gpus
        available = len(gpus())
        if available == 0 or wanted == 0:
            processes = resources.processes or 1
            return Hardware(
                "cpu", processes, f"{cores()} cores" + (f", {processes} processes" if processes > 1 else "")
            )
        count = wanted or available
        if count > available:
            raise InvalidInput(
                Problem(
                    "missing-hardware",
                    f"the stage `{stage}` requests {count} GPUs, but this machine has {available}: {', '.join(gpus())}",
                    at=f"resources.{stage}.gpu",
                    hint=f"resources.{stage}.gpu={available}, or another backend",
                )
            )
        return Hardware("gpu", resources.processes or count, f"{count}x {gpus()[0]}", (gpus()[0],))

    def cores(self) -> float:
        return float(cores())

    def environment_digest(self, name: str) -> str:
        return self._environments[name].digest

    def environment_ready(self, name: str) -> bool:
        return name == CLIENT or self._environments[name].ready

    def environment_python(self, name: str) -> Path:
        return Path(sys.executable) if name == CLIENT else self._environments[name].python

    def prepare(self, name: str, progress: Callable[[str], None]) -> None:
        if name != CLIENT:
            self._environments[name].make(progress)

    def cached(self, calls: Sequence[StageCall]) -> set[str]:
        return {call.key for call in calls if find(self._store, call.ref)}

    def runner(self) -> LocalBackend:
        return self

    def capacity(self) -> tuple[float, int]:
        return float(cores()), len(gpus())

    def run_stage(self, call: StageCall, run: RunFolder, stop: StopSignal) -> StageOutcome:
        with FileLock(self._store.lock(call.ref)) as lock:
            if not self._acquire_lock(lock, call, run, stop):
                return StageOutcome("stopped")
            if find(self._store, call.ref):  # the previous holder of the lock published the artifact
                return StageOutcome("done")
            if stop.level:
                return StageOutcome("stopped")
            try:
                self._prepare_environment(call, run)
            except FtrunError as error:
                return StageOutcome("failed", "stage", error.problems)
            if damaged := self._check_inputs(call, run):
                return StageOutcome("failed", "store", tuple(damaged))
            self._start_parents(run)
            return self._start_process(call, run, lock).wait(stop)

    def _acquire_lock(self, lock: FileLock, call: StageCall, run: RunFolder, stop: StopSignal) -> bool:
        """Wait until no other process works on the call. Return False if the user stops the run before.

        If the other process belongs to this run, it has outlived its scheduler. It gets the stop signal too, and this
        method waits for its end.
        """
        reported, level = False, 0
        while not lock.try_acquire():
            holder = read_process(self._store.scratch(call.ref).process) or {}
            if not reported:
                append(run.events, "call_waiting", call.label, run=holder.get("run"))
                reported = True
            if stop.level and holder.get("run") != run.id:
                return False
            if stop.level > level and "pid" in holder:
                level = stop.level
                send_stop(holder["pid"], at_once=level == 2)
            stop.wait(SECONDS_BETWEEN_TRIES)
        return True

    def _prepare_environment(self, call: StageCall, run: RunFolder) -> None:
        name = call.environment.name
        if not self.environment_ready(name):
            append(
                run.events, "environment", call.label, name=name, text=f"making the environment `{name}` (only once)"
            )
            self.prepare(name, partial(_emit_line, run, call.label, name))
            append(run.events, "environment", call.label, name=name, text=f"the environment `{name}` is ready")

    def _check_inputs(self, call: StageCall, run: RunFolder) -> list[Problem]:
        """Return a problem for each input artifact that was changed after it was made."""
        refs, done, report = list(call.inputs.values()), 0, Reporter(call.label, run.events)
        total = count_changed_bytes(self._store, refs)

        def advance(size: int) -> None:
            nonlocal done
            done += size
            report.progress(done, total, "bytes")

        return check_artifacts(self._store, refs, advance)

    def _start_process(self, call: StageCall, run: RunFolder, lock: FileLock) -> StageProcess:
        environment = self._environments.get(call.environment.name)
        append(run.events, "call_started", call.label, key=call.key)
        spec = ProcessSpec(
            python=self.environment_python(call.environment.name),
            log=run.log(call.label),
            variables=environment.declared.variables if environment else {},
            events=run.events,
            lock=lock,
            parent=self._get_parent(call.environment.name, run) if call.work.preloaded else None,
        )
        return StageProcess(self._store, call, run.id, spec)

    def _get_parent(self, name: str, run: RunFolder) -> WarmParent | None:
        """Return the process from which calls in an environment are forked, or None if it has nothing to import."""
        environment = self._environments.get(name)
        if environment is None or not environment.declared.preload or not can_fork():
            return None
        with self._parents_lock:
            if name not in self._parents:
                log = run.root / "logs" / f"{name}.preload.log"
                declared = environment.declared
                self._parents[name] = warm_parent(
                    self.environment_python(name), declared.variables, declared.preload, log
                )
            return self._parents[name]

    def _start_parents(self, run: RunFolder) -> None:
        """Start the parents for the missing calls of a run, so that they import packages while other calls run."""
        with self._parents_lock:
            if run.id in self._preloaded_runs:
                return
            self._preloaded_runs.add(run.id)
        if not run.plan.exists():
            return
        missing = [call for call in read_plan(run).calls if call.work.preloaded and not find(self._store, call.ref)]
        for name in dict.fromkeys(call.environment.name for call in missing):
            if self.environment_ready(name):
                self._get_parent(name, run)


def _emit_line(run: RunFolder, label: str, name: str, line: str) -> None:
    append(run.events, "environment_line", label, name=name, text=line)
