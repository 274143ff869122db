"""Entry point of the process of one stage call: runs the stage, publishes its artifact and saves its outcome.

    python -I env_launcher.py ftrun.execution.stage_entrypoint REQUEST.json

The process runs in the environment of the stage. It can also be forked from a process that has imported the heavy
modules of that environment (`fork_server`).

It raises no exception: every error becomes the outcome, so the parent process can distinguish errors from crashes.
"""

from __future__ import annotations

import os
import platform
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType
from typing import Any

from pydantic import BaseModel, ConfigDict

from ftrun.api.checkpoints import remove_leftovers
from ftrun.api.context import Reporter, StageContext, Stopped, StopRequest, load
from ftrun.api.errors import InvalidInput
from ftrun.api.known_errors import FailedCall, table_of
from ftrun.api.outcome import StageOutcome
from ftrun.api.paths import Scratch, Store
from ftrun.api.secrets import register_secrets
from ftrun.api.stage_call import StageCall
from ftrun.execution.finished_output import FinishedOutput, read_finished, save_finished
from ftrun.execution.fork_server import LOCK
from ftrun.store.artifacts import describe, publish

RECORDED_PACKAGES = ("axolotl", "torch", "transformers", "peft", "accelerate", "deepspeed", "datasets", "trl")


class Request(BaseModel):
    """Input of a stage process: its call, and the paths of the store and of the event log of the run."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    call: StageCall
    store: Path
    run: str
    events: Path | None
    publishes: bool = True  # if false, the output stays in scratch with its manifest beside it


def main() -> None:
    request = Request.model_validate_json(Path(sys.argv[1]).read_bytes())
    register_secrets((*request.call.secrets, *request.call.optional_secrets))
    store = Store(request.store)
    scratch = store.scratch(request.call.ref)
    stop = StopRequest()
    _handle_signals(stop)
    outcome = _run_to_outcome(request, store, scratch, stop)
    if outcome.fault == "store":  # a full disk: make room for the outcome and for the record of the run
        shutil.rmtree(scratch.output, ignore_errors=True)
        with suppress(OSError):
            remove_leftovers(scratch.work, _resumable(request.call))
    try:
        outcome.save(scratch.outcome)
    except OSError:  # report by the exit code and the log
        print(outcome, file=sys.stderr)  # not with logging, because the trainer reconfigures it
    if outcome.status == "done" and request.publishes:
        scratch.discard()
    sys.exit({"done": 0, "failed": 1, "stopped": 130}[outcome.status])


def _handle_signals(stop: StopRequest) -> None:
    def request_stop(number: int, frame: FrameType | None) -> None:
        stop.requested = True

    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)


def _run_to_outcome(request: Request, store: Store, scratch: Scratch, stop: StopRequest) -> StageOutcome:
    try:
        _run(request, store, scratch, stop)
    except Stopped:
        return StageOutcome("stopped")
    except Exception as error:  # a stage may raise any exception
        if not isinstance(error, InvalidInput):
            traceback.print_exc()
        call = request.call
        known = table_of(load(call.implementation))
        return StageOutcome.failed(error, store.root, known, FailedCall(call.stage, call.params))
    return StageOutcome("done")


def _run(request: Request, store: Store, scratch: Scratch, stop: StopRequest) -> None:
    call, report = request.call, Reporter(request.call.label, request.events)
    finished = read_finished(scratch) if request.publishes else None
    if finished is None:
        finished = _run_stage(call, store, scratch, stop, report)
    else:
        report.note("an earlier attempt finished, and was ended before its output was published")
    manifest = describe(store, call, request.run, finished.seconds, finished.metrics, finished.gates, _collect_facts())
    if request.publishes:
        publish(store, call.ref, manifest)
    report.event("artifact", key=call.key, size=manifest.size, seconds=round(finished.seconds, 3))


def _run_stage(call: StageCall, store: Store, scratch: Scratch, stop: StopRequest, report: Reporter) -> FinishedOutput:
    scratch.finished.unlink(missing_ok=True)
    shutil.rmtree(scratch.output, ignore_errors=True)
    for folder in (scratch.output, scratch.work):
        folder.mkdir(parents=True, exist_ok=True)
    incomplete = remove_leftovers(scratch.work, _resumable(call))
    if incomplete:
        report.warning(f"removed incomplete leftovers of an earlier attempt: {', '.join(incomplete)}")
    context = StageContext(
        output=scratch.output,
        work=scratch.work,
        inputs={role: store.artifact(ref) for role, ref in call.inputs.items()},
        files={digest: Path(path) for digest, path in call.files.items()},
        report=report,
        stop=stop,
        lock_descriptor=int(lock) if (lock := os.environ.pop(LOCK, None)) else None,
    )
    start = time.monotonic()
    load(call.implementation)().run(call, context)
    context.check_files()
    return save_finished(scratch, report, time.monotonic() - start)


def _resumable(call: StageCall) -> Sequence[str]:
    """Return the patterns of what an attempt of the stage continues from."""
    patterns: Sequence[str] = getattr(load(call.implementation), "resumable", ())
    return patterns


def _collect_facts() -> dict[str, Any]:
    versions = {}
    for name in RECORDED_PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "versions": versions,
        "peak_memory": max(own, children) * 1024,  # bytes, of the process that used most memory
    }
