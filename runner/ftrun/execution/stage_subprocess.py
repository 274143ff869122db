"""The process of one stage call: started with what its call names, watched, stopped, and judged.

The same on a laptop and inside a container of a backend.
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
from ftrun.api.stage_call import StageCall
from ftrun.execution import env_launcher
from ftrun.execution.fork_server import LOCK
from ftrun.execution.process_env import process_env
from ftrun.execution.stage_entrypoint import Request
from ftrun.execution.warm_parent import ForkedProcess, WarmParent
from ftrun.store.artifacts import find
from ftrun.store.locks import FileLock
from ftrun.utils.atomic_io import write_json, write_text

SECONDS_BETWEEN_LOOKS = 0.2
MODULE = "ftrun.execution.stage_entrypoint"
GRACE = 180.0  # seconds from asking a stage to stop until it is killed: a checkpoint has to fit
PIECE = 1 << 16  # bytes
LINES_SHOWN = 8  # of the log of a stage that crashed


@dataclass(frozen=True)
class ProcessSpec:
    """Where a stage process runs, and who hears of it.

    Args:
        python: The interpreter of the call's environment.
        log: The file that gets what the process prints.
        variables: Environment variables of its environment.
        events: The event log that it appends to; None where it prints its events between its output.
        lock: The key's lock, which the process and its children share.
        listen: Called with each piece of output, from a thread of its own.
        publishes: Whether the process moves its output into place itself.
        grace: Seconds from asking it to stop until it is killed: a checkpoint has to fit.
        parent: Forks the process if it can; it needs the lock and no listener.
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
    """A running stage call, in a session of its own that outlives the terminal."""

    def __init__(self, store: Store, call: StageCall, run_id: str, place: ProcessSpec) -> None:
        self._store = store
        self._call = call
        self._place = place
        scratch = store.scratch(call.ref)
        scratch.root.mkdir(parents=True, exist_ok=True)
        scratch.outcome.unlink(missing_ok=True)
        request = Request(call=call, store=store.root, run=run_id, events=place.events, publishes=place.publishes)
        write_text(scratch.call, request.model_dump_json(indent=1))
        self._began = time.monotonic()
        place.log.parent.mkdir(parents=True, exist_ok=True)
        with place.log.open("ab") as log:
            self._process = self._forked(scratch, log.fileno()) or self._fresh(scratch, log.fileno())
        write_json(scratch.process, {"pid": self._process.pid, "run": run_id})
        self._pump = threading.Thread(target=self._listen, daemon=True)
        self._pump.start()

    def _forked(self, scratch: Scratch, log: int) -> ForkedProcess | None:
        """Fork the process from one that has imported what it needs; None if there is none that can."""
        place = self._place
        if place.parent is None or place.lock is None or place.listen is not None:
            return None
        arguments, environment = [str(scratch.call)], _surroundings(self._call, place)
        return place.parent.fork(MODULE, arguments, scratch.root, environment, log, place.lock.descriptor)

    def _fresh(self, scratch: Scratch, log: int) -> subprocess.Popen[bytes]:
        place, environment = self._place, _surroundings(self._call, self._place)
        shared = () if place.lock is None else (place.lock.descriptor,)
        if place.lock is not None:
            environment[LOCK] = str(place.lock.descriptor)
        return subprocess.Popen(
            [str(place.python), "-I", env_launcher.__file__, MODULE, str(scratch.call)],
            stdin=subprocess.DEVNULL,
            stdout=log if place.listen is None else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=scratch.root,
            env=environment,
            pass_fds=shared,
            start_new_session=True,
        )

    def _listen(self) -> None:
        """Opens the log for each piece only: a file that is held open keeps a volume from being read anew."""
        output = self._process.stdout if isinstance(self._process, subprocess.Popen) else None
        while self._place.listen is not None and output is not None:
            piece = os.read(output.fileno(), PIECE)
            if not piece:
                return
            with self._place.log.open("ab") as log:
                log.write(piece)
            self._place.listen(piece)

    def wait(self, stop: StopSignal) -> StageOutcome:
        """Waits for the end, passes a wish to stop on, and judges by what is in the store."""
        asked: float | None = None
        while self._process.poll() is None:
            if stop.level and asked is None:
                send_stop(self._process.pid)
                asked = time.monotonic()
            if stop.level == 2 or (asked is not None and time.monotonic() - asked > self._place.grace):
                self._kill()
            if self._overdue():
                self._kill()
            stop.wait(SECONDS_BETWEEN_LOOKS) if asked is None else time.sleep(SECONDS_BETWEEN_LOOKS)
        self._kill()  # children that it may have left behind
        self._pump.join()
        return self._judge(stop)

    def _overdue(self) -> bool:
        limit = self._call.work.timeout
        return limit is not None and time.monotonic() - self._began > limit

    def _kill(self) -> None:
        send_stop(self._process.pid, at_once=True)

    def _judge(self, stop: StopSignal) -> StageOutcome:
        if find(self._store, self._call.ref):
            return StageOutcome("done")
        outcome = StageOutcome.read(self._store.scratch(self._call.ref).outcome)
        if outcome is not None:
            return outcome
        if stop.level:
            return StageOutcome("stopped")
        if self._overdue():
            problem = Problem(
                "timeout",
                f"{self._call.label} ran longer than its time-out of {self._call.work.timeout} s",
                hint="its checkpoints are kept; raise the time-out and resume",
            )
            return StageOutcome("failed", "stage", (problem,))
        return StageOutcome("failed", "stage", (self._crash(),))

    def _crash(self) -> Problem:
        code = self._process.returncode or 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        hint = "often the system was out of memory; " if code == -signal.SIGKILL else ""
        last = "\n".join(_last_lines(self._place.log))
        return Problem(
            "process-ended",
            f"{self._call.label} {how}",
            expected=None,
            at=str(self._place.log),
            hint=f"{hint}`ftrun resume last` goes on\n{last}".rstrip(),
        )


def send_stop(pid: int, at_once: bool = False) -> None:
    """Asks a stage process for a checkpoint and its end, or kills it with all that it started."""
    with suppress(ProcessLookupError):
        # a wish goes to it alone: its loaders and ranks are its own to stop
        os.killpg(pid, signal.SIGKILL) if at_once else os.kill(pid, signal.SIGTERM)


def _surroundings(call: StageCall, place: ProcessSpec) -> dict[str, str]:
    modules = ["ftrun", call.implementation, *(component.implementation for component in call.components.values())]
    return process_env(place.variables, (*call.secrets, *call.optional_secrets), modules)


def _last_lines(log: Path) -> list[str]:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8192))
        text = file.read().decode("utf-8", "replace")
    return text.replace("\r", "\n").splitlines()[-LINES_SHOWN:]
