"""The backend `local`: each stage call is a process in its environment's interpreter on this machine."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from ftrun.api.backends import Hardware
from ftrun.api.cancellation import StopSignal
from ftrun.api.errors import FtrunError, InvalidInput, Problem
from ftrun.api.events import append
from ftrun.api.outcome import StageOutcome
from ftrun.api.paths import RunFolder, Store
from ftrun.api.recipe import Environment, Resources
from ftrun.api.rows import Options
from ftrun.api.secrets import variables_of
from ftrun.api.stage_call import CLIENT, StageCall
from ftrun.execution.engine import read_plan
from ftrun.execution.stage_subprocess import ProcessSpec, StageProcess, send_stop
from ftrun.execution.warm_parent import WarmParent, can_fork, warm_parent
from ftrun.store.artifacts import find
from ftrun.store.locks import FileLock
from ftrun.utils.atomic_io import read_json
from ftrun_plugins.local.environments import LocalEnvironment
from ftrun_plugins.local.hardware import cores, gpus

SECONDS_BETWEEN_TRIES = 0.3


class LocalBackend:
    """Stage calls as subprocesses; a key that another process works on is waited for."""

    name: ClassVar[str] = "local"

    class Options(Options):
        """No options yet: resources are the recipe's."""

    def __init__(self, options: Any, environments: Mapping[str, Environment], store: Store) -> None:
        self._environments = {name: LocalEnvironment(name, declared) for name, declared in environments.items()}
        self._store = store
        self._parents: dict[str, WarmParent] = {}  # by environment; they end with this object
        self._parents_lock = threading.Lock()
        self._looked_at: set[str] = set()  # runs whose parents have been started

    @classmethod
    def account(cls) -> None:
        return None

    def hardware(self, stage: str, resources: Resources) -> Hardware:
        wanted = resources.gpus
        there = len(gpus())
        if there == 0 or wanted == 0:
            processes = resources.processes or 1
            return Hardware(
                "cpu", processes, f"{cores()} cores" + (f", {processes} processes" if processes > 1 else "")
            )
        count = wanted or there
        if count > there:
            raise InvalidInput(
                Problem(
                    "missing-hardware",
                    f"the stage `{stage}` asks for {count} GPUs and this machine has {there}: {', '.join(gpus())}",
                    at=f"resources.{stage}.gpu",
                    hint=f"resources.{stage}.gpu={there}, or another backend",
                )
            )
        return Hardware("gpu", resources.processes or count, f"{count}x {gpus()[0]}")

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

    def estimate(self, calls: Sequence[StageCall], seconds: Mapping[str, float]) -> None:
        return None

    def has_secret(self, name: str) -> bool:
        return any(os.environ.get(variable) for variable in variables_of(name))

    def secret_advice(self, name: str) -> str:
        return f"export {variables_of(name)[0]}=…"

    @property
    def remote(self) -> None:
        return None

    def runner(self) -> LocalBackend:
        return self

    def capacity(self) -> tuple[float, int]:
        return float(cores()), len(gpus())

    def run_stage(self, call: StageCall, run: RunFolder, stop: StopSignal) -> StageOutcome:
        with FileLock(self._store.lock(call.ref)) as lock:
            if not self._wait_for(lock, call, run, stop):
                return StageOutcome("stopped")
            if find(self._store, call.ref):  # whoever held the lock has made it
                return StageOutcome("done")
            if stop.level:
                return StageOutcome("stopped")
            try:
                self._prepare_for(call, run)
            except FtrunError as error:
                return StageOutcome("failed", "stage", error.problems)
            self._start_parents(run)
            return self._process(call, run, lock).wait(stop)

    def _wait_for(self, lock: FileLock, call: StageCall, run: RunFolder, stop: StopSignal) -> bool:
        """Waits until nobody else works on the call; false where the user stops first.

        A process of this same run outlived its scheduler: it is told to stop, and waited for, as if it were ours.
        """
        told, level = False, 0
        while not lock.try_acquire():
            holder = read_json(self._store.scratch(call.ref).process) or {"run": None}
            if not told:
                append(run.events, "call_waiting", call.label, run=holder["run"])
                told = True
            if stop.level and holder["run"] != run.id:
                return False
            if stop.level > level:
                level = stop.level
                send_stop(holder["pid"], at_once=level == 2)
            stop.wait(SECONDS_BETWEEN_TRIES)
        return True

    def _prepare_for(self, call: StageCall, run: RunFolder) -> None:
        name = call.environment.name
        if not self.environment_ready(name):
            append(run.events, "environment", call.label, name=name, text=f"making the environment `{name}`, once")
            self.prepare(name, partial(_tell_line, run, call.label, name))
            append(run.events, "environment", call.label, name=name, text=f"the environment `{name}` is ready")

    def _process(self, call: StageCall, run: RunFolder, lock: FileLock) -> StageProcess:
        environment = self._environments.get(call.environment.name)
        append(run.events, "call_started", call.label, key=call.key)
        place = ProcessSpec(
            python=self.environment_python(call.environment.name),
            log=run.log(call.label),
            variables=environment.declared.variables if environment else {},
            events=run.events,
            lock=lock,
            parent=self._parent(call.environment.name, run) if call.work.preloaded else None,
        )
        return StageProcess(self._store, call, run.id, place)

    def _parent(self, name: str, run: RunFolder) -> WarmParent | None:
        """Return the process that calls in an environment are forked from; None if that has nothing to import."""
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
        """Begin to import while other calls run: for the environments of the calls that this run lacks."""
        with self._parents_lock:
            if run.id in self._looked_at:
                return
            self._looked_at.add(run.id)
        if not run.plan.exists():
            return
        lacking = [call for call in read_plan(run).calls if call.work.preloaded and not find(self._store, call.ref)]
        for name in dict.fromkeys(call.environment.name for call in lacking):
            if self.environment_ready(name):
                self._parent(name, run)


def _tell_line(run: RunFolder, label: str, name: str, line: str) -> None:
    append(run.events, "environment_line", label, name=name, text=line)
