"""Process of one stage call: start, output, cancellation and outcome.

Used on the local machine and inside the containers of a backend.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ftrun.api.cancellation import StopSignal
from ftrun.api.errors import Problem
from ftrun.api.outcome import StageOutcome
from ftrun.api.paths import Scratch, Store
from ftrun.api.process_env import process_env
from ftrun.api.redaction import secret_variables
from ftrun.api.stage_call import StageCall
from ftrun.execution.crash_report import describe_crash, explain_crash
from ftrun.execution.fork_server import LOCK
from ftrun.execution.log_filter import FilteredLog, LogFilter
from ftrun.execution.stage_entrypoint import Request
from ftrun.execution.warm_parent import ForkedProcess, WarmParent
from ftrun.store.artifacts import find
from ftrun.store.locks import FileLock
from ftrun.utils import env_launcher
from ftrun.utils.atomic_io import write_json, write_text
from ftrun.utils.process_exit import count_memory_kills

POLL_INTERVAL = 0.2  # seconds
MODULE = "ftrun.execution.stage_entrypoint"
GRACE = 180.0  # seconds between the request to stop a stage and its kill: enough to write a checkpoint
CHUNK = 1 << 16  # bytes


@dataclass(frozen=True)
class ProcessSpec:
    """Specification of a stage process.

    Args:
        python: The interpreter of the call's environment.
        log: The file that receives the output of the process.
        variables: Environment variables that its environment declares.
        events: The event log to which it appends. If None, it prints its events among its output.
        lock: The lock of the key, which the process and its children share.
        listen: Function that a separate thread calls with each chunk of output.
        publishes: If true, the process itself publishes its artifact.
        grace: Seconds between the request to stop and the kill: enough to write a checkpoint.
        parent: Warm parent that forks the process if possible. It requires `lock` and no `listen`.
    """

    python: Path
    log: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    events: Path | None = None
    lock: FileLock | None = None
    listen: Callable[[bytes], None] | None = None
    publishes: bool = True
    grace: float = GRACE
    parent: WarmParent | None = None


class StageProcess:
    """Process of a running stage call, in its own session, so that it continues if the terminal is closed."""

    def __init__(self, store: Store, call: StageCall, run_id: str, spec: ProcessSpec) -> None:
        self._store = store
        self._call = call
        self._spec = spec
        scratch = store.scratch(call.ref)
        scratch.root.mkdir(parents=True, exist_ok=True)
        scratch.outcome.unlink(missing_ok=True)
        request = Request(call=call, store=store.root, run=run_id, events=spec.events, publishes=spec.publishes)
        write_text(scratch.call, request.model_dump_json(indent=1))
        self._started = time.monotonic()
        self._memory_kills = count_memory_kills()
        self._log_start = spec.log.stat().st_size if spec.log.exists() else 0
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        self._environment = _environment(call, spec)
        self._secrets = secret_variables(self._environment)
        self._filter = FilteredLog(spec.log, self._secrets) if self._secrets and spec.listen is None else None
        with spec.log.open("ab") as log:
            output = self._filter.descriptor if self._filter else log.fileno()
            self._process = self._fork(scratch, output) or self._spawn(scratch, output)
        if self._filter:
            self._filter.close()
        write_json(scratch.process, {"pid": self._process.pid, "run": run_id})
        self._reader = threading.Thread(target=self._read_output, daemon=True)
        self._reader.start()

    def _fork(self, scratch: Scratch, log: int) -> ForkedProcess | None:
        """Fork the process from the warm parent; return None if there is no parent or it cannot fork."""
        spec = self._spec
        if spec.parent is None or spec.lock is None or spec.listen is not None:
            return None
        arguments = [str(scratch.call)]
        return spec.parent.fork(MODULE, arguments, scratch.root, self._environment, log, spec.lock.descriptor)

    def _spawn(self, scratch: Scratch, log: int) -> subprocess.Popen[bytes]:
        spec, environment = self._spec, dict(self._environment)
        shared = () if spec.lock is None else (spec.lock.descriptor,)
        if spec.lock is not None:
            environment[LOCK] = str(spec.lock.descriptor)
        return subprocess.Popen(
            [str(spec.python), "-I", env_launcher.__file__, MODULE, str(scratch.call)],
            stdin=subprocess.DEVNULL,
            stdout=log if spec.listen is None else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=scratch.root,
            env=environment,
            pass_fds=shared,
            start_new_session=True,
        )

    def _read_output(self) -> None:
        """Write the output to the log and pass it to the listener.

        The log is opened for each chunk only, because an open file prevents a Modal Volume from being reloaded.
        """
        output = self._process.stdout if isinstance(self._process, subprocess.Popen) else None
        if self._spec.listen is None or output is None:
            return
        lines = LogFilter(self._secrets)
        while chunk := os.read(output.fileno(), CHUNK):
            self._save_output(lines.feed(chunk) if self._secrets else chunk)
        self._save_output(lines.close())

    def _save_output(self, output: bytes) -> None:
        if output and self._spec.listen is not None:
            with self._spec.log.open("ab") as log:
                log.write(output)
            self._spec.listen(output)

    def wait(self, stop: StopSignal) -> StageOutcome:
        """Wait for the process to end, forward a request to stop, and return the outcome.

        The outcome is `done` if the artifact is in the store, regardless of the exit code.
        """
        stop_requested: float | None = None
        while self._process.poll() is None:
            if stop.level and stop_requested is None:
                send_stop(self._process.pid)
                stop_requested = time.monotonic()
            if stop.level == 2 or (stop_requested is not None and time.monotonic() - stop_requested > self._spec.grace):
                self._kill()
            if self._has_timed_out():
                self._kill()
            stop.wait(POLL_INTERVAL) if stop_requested is None else time.sleep(POLL_INTERVAL)
        self._kill()  # any children that are still running
        self._reader.join()
        if self._filter:
            self._filter.wait()
        return self._classify_exit(stop)

    def _has_timed_out(self) -> bool:
        limit = self._call.work.timeout
        return limit is not None and time.monotonic() - self._started > limit

    def _kill(self) -> None:
        send_stop(self._process.pid, at_once=True)

    def _classify_exit(self, stop: StopSignal) -> StageOutcome:
        if find(self._store, self._call.ref):
            return StageOutcome("done")
        outcome = StageOutcome.read(self._store.scratch(self._call.ref).outcome)
        if outcome is not None:
            return self._explain(outcome)
        if stop.level:
            return StageOutcome("stopped")
        if self._has_timed_out():
            problem = Problem(
                "timeout",
                f"{self._call.label} ran longer than its time-out of {self._call.work.timeout} s",
                hint="its checkpoints are kept; raise the time-out and resume",
            )
            return StageOutcome("failed", "stage", (problem,))
        crash = describe_crash(self._call.label, self._process.returncode or 0, self._spec.log)
        return self._explain(StageOutcome("failed", "stage", (crash,)))

    def _explain(self, outcome: StageOutcome) -> StageOutcome:
        killed = count_memory_kills() > self._memory_kills
        return explain_crash(outcome, self._call, self._spec.log, self._log_start, killed, self._store.root)


def send_stop(pid: int, at_once: bool = False) -> None:
    """Request that a stage process writes a checkpoint and ends, or kill it and its children."""
    with suppress(ProcessLookupError):
        # Only the process itself gets SIGTERM, because it stops its data loaders and ranks.
        os.killpg(pid, signal.SIGKILL) if at_once else os.kill(pid, signal.SIGTERM)


def _environment(call: StageCall, spec: ProcessSpec) -> dict[str, str]:
    modules = ["ftrun", call.implementation, *(component.implementation for component in call.components.values())]
    return process_env(spec.variables, (*call.secrets, *call.optional_secrets), modules)
