"""The process of one stage call: started with what its call names, watched, stopped, and judged.

The same on a laptop and inside a container of a backend.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from ftrun.errors import Problem
from ftrun.execute import bootstrap
from ftrun.execute.outcome import StageOutcome
from ftrun.execute.stage_process import Request
from ftrun.execute.stop import StopSignal
from ftrun.plan.call import StageCall
from ftrun.plan.secrets import variables_of
from ftrun.store.artifacts import find
from ftrun.store.files import write_json, write_text
from ftrun.store.layout import Store
from ftrun.store.locks import FileLock

SECONDS_BETWEEN_LOOKS = 0.2
MODULE = "ftrun.execute.stage_process"
GRACE = 180.0  # seconds from asking a stage to stop until it is killed: a checkpoint has to fit
PIECE = 1 << 16  # bytes
LINES_SHOWN = 8  # of the log of a stage that crashed

# What a process needs from its surroundings to work at all. Everything else stays out: it could change a result
# without being in the key, or be a secret.
INHERITED = (
    "PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_CACHE_HOME", "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "NVIDIA_VISIBLE_DEVICES", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "HF_ENDPOINT", "WANDB_BASE_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "PIP_INDEX_URL", "FTRUN_DEBUG",
)  # fmt: skip
QUIET = {
    "PYTHONUNBUFFERED": "1",
    "DO_NOT_TRACK": "1",
    "AXOLOTL_DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "WANDB_MODE": "disabled",
    "TOKENIZERS_PARALLELISM": "false",
}


@dataclass(frozen=True)
class Place:
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
    """

    python: Path
    log: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    events: Path | None = None
    lock: FileLock | None = None
    listen: Callable[[bytes], None] | None = None
    publishes: bool = True
    grace: float = GRACE


class StageProcess:
    """A running stage call, in a session of its own that outlives the terminal."""

    def __init__(self, store: Store, call: StageCall, run_id: str, place: Place) -> None:
        self._store = store
        self._call = call
        self._place = place
        scratch = store.scratch(call.ref)
        scratch.root.mkdir(parents=True, exist_ok=True)
        scratch.outcome.unlink(missing_ok=True)
        descriptors = () if place.lock is None else (place.lock.descriptor,)
        request = Request(
            call=call,
            store=store.root,
            run=run_id,
            events=place.events,
            lock_descriptor=next(iter(descriptors), None),
            publishes=place.publishes,
        )
        write_text(scratch.call, request.model_dump_json(indent=1))
        self._began = time.monotonic()
        place.log.parent.mkdir(parents=True, exist_ok=True)
        with place.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(place.python), "-I", bootstrap.__file__, MODULE, str(scratch.call)],
                stdin=subprocess.DEVNULL,
                stdout=log if place.listen is None else subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=scratch.root,
                env={**_environment(call, place.variables), bootstrap.VARIABLE: json.dumps(carried(_modules(call)))},
                pass_fds=descriptors,
                start_new_session=True,
            )
        write_json(scratch.process, {"pid": self._process.pid, "run": run_id})
        self._pump = threading.Thread(target=self._listen, daemon=True)
        self._pump.start()

    def _listen(self) -> None:
        """Opens the log for each piece only: a file that is held open keeps a volume from being read anew."""
        output = self._process.stdout
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
                f"{self._call.label} ran longer than its time-out of {self._call.work.timeout} s",
                do="its checkpoints are kept; raise the time-out and resume",
            )
            return StageOutcome("failed", "stage", (problem,))
        return StageOutcome("failed", "stage", (self._crash(),))

    def _crash(self) -> Problem:
        code = self._process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        hint = "often the system was out of memory; " if code == -signal.SIGKILL else ""
        last = "\n".join(_last_lines(self._place.log))
        return Problem(
            f"{self._call.label} {how}",
            expected=None,
            where=str(self._place.log),
            do=f"{hint}`ftrun resume last` goes on\n{last}".rstrip(),
        )


def send_stop(pid: int, at_once: bool = False) -> None:
    """Asks a stage process for a checkpoint and its end, or kills it with all that it started."""
    with suppress(ProcessLookupError):
        # a wish goes to it alone: its loaders and ranks are its own to stop
        os.killpg(pid, signal.SIGKILL) if at_once else os.kill(pid, signal.SIGTERM)


def _modules(call: StageCall) -> list[str]:
    return ["ftrun", call.implementation, *(component.implementation for component in call.components.values())]


def carried(modules: Sequence[str]) -> dict[str, str]:
    """The top-level packages that modules are in, and the folders that hold them: what `bootstrap` is given."""
    folders = {}
    for module in modules:
        top = module.partition(":")[0].partition(".")[0]
        spec = find_spec(top)
        if spec is not None and spec.origin is not None:
            folders[top] = str(Path(spec.origin).parents[1 if spec.submodule_search_locations else 0])
    return folders


def _environment(call: StageCall, variables: Mapping[str, str]) -> dict[str, str]:
    names = (
        *INHERITED,
        *(variable for secret in (*call.secrets, *call.optional_secrets) for variable in variables_of(secret)),
    )
    return {**{name: os.environ[name] for name in names if name in os.environ}, **QUIET, **variables}


def _last_lines(log: Path) -> list[str]:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8192))
        text = file.read().decode("utf-8", "replace")
    return text.replace("\r", "\n").splitlines()[-LINES_SHOWN:]
