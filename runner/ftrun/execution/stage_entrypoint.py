"""The process of one stage call, in the stage's environment: runs it, publishes its artifact, leaves its outcome.

    python -I bootstrap.py ftrun.execution.stage_entrypoint REQUEST.json

or forked from a process that has imported the environment's heavy modules (`fork_server`).

It never raises: what goes wrong becomes the outcome, so that only crashes look like crashes to whoever started it.
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
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType
from typing import Any

from pydantic import BaseModel, ConfigDict

from ftrun.api.context import Reporter, StageContext, Stopped, StopRequest, load
from ftrun.api.outcome import StageOutcome
from ftrun.api.paths import Scratch, Store
from ftrun.api.stage_call import StageCall
from ftrun.execution.fork_server import LOCK
from ftrun.store.artifacts import describe, publish

RECORDED = ("axolotl", "torch", "transformers", "peft", "accelerate", "deepspeed", "datasets", "trl")


class Request(BaseModel):
    """What a stage process is given: its call, and where the store and the run's event log are."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    call: StageCall
    store: Path
    run: str
    events: Path | None
    publishes: bool = True  # else the output stays in scratch, with its manifest beside it


def main() -> None:
    request = Request.model_validate_json(Path(sys.argv[1]).read_bytes())
    store = Store(request.store)
    scratch = store.scratch(request.call.ref)
    stop = StopRequest()
    _listen(stop)
    outcome = _outcome(request, store, scratch, stop)
    try:
        outcome.save(scratch.outcome)
    except OSError:  # a full disk: the exit code alone tells, and the log has the reason
        print(outcome, file=sys.stderr)  # not by logging, which the trainer configures anew
    if outcome.status == "done" and request.publishes:
        scratch.discard()
    sys.exit({"done": 0, "failed": 1, "stopped": 130}[outcome.status])


def _listen(stop: StopRequest) -> None:
    def asked(number: int, frame: FrameType | None) -> None:
        stop.requested = True

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, asked)


def _outcome(request: Request, store: Store, scratch: Scratch, stop: StopRequest) -> StageOutcome:
    try:
        _run(request, store, scratch, stop)
    except Stopped:
        return StageOutcome("stopped")
    except Exception as error:  # whatever a stage raises has to become its outcome
        outcome = StageOutcome.failed(error, store.root)
        if outcome.fault != "user":
            traceback.print_exc()
        return outcome
    return StageOutcome("done")


def _run(request: Request, store: Store, scratch: Scratch, stop: StopRequest) -> None:
    call = request.call
    report = Reporter(call.label, request.events)
    shutil.rmtree(scratch.output, ignore_errors=True)
    for folder in (scratch.output, scratch.work):
        folder.mkdir(parents=True, exist_ok=True)
    context = StageContext(
        output=scratch.output,
        work=scratch.work,
        inputs={role: store.artifact(ref) for role, ref in call.inputs.items()},
        files={digest: Path(path) for digest, path in call.files.items()},
        report=report,
        stop=stop,
        lock_descriptor=int(lock) if (lock := os.environ.pop(LOCK, None)) else None,
    )
    began = time.monotonic()
    load(call.implementation)().run(call, context)
    seconds = time.monotonic() - began
    manifest = describe(store, call, request.run, seconds, report.metrics, tuple(report.gates), _facts())
    if request.publishes:
        publish(store, call.ref, manifest)
    report.event("artifact", key=call.key, size=manifest.size, seconds=round(seconds, 3))


def _facts() -> dict[str, Any]:
    versions = {}
    for name in RECORDED:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "versions": versions,
        "peak_memory": max(own, children) * 1024,  # bytes, of the largest process
    }
