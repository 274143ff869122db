"""Context of a running stage: folders for its output, its inputs, and objects to report and to stop."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.events import append, make
from ftrun.api.manifest import GateResult
from ftrun.api.recent_rate import RecentRate
from ftrun.api.stage_call import StageCall
from ftrun.utils.code_digest import source_digest
from ftrun.utils.digests import file_stamp, sha256_of

__all__ = ["Reporter", "StageContext", "StopRequest", "Stopped", "load"]

SECONDS_BETWEEN_PROGRESS = 0.5


class Reporter:
    """Writer of the events of one stage call. Writes to the event log of the run, or to stdout if `events` is None."""

    def __init__(self, call: str, events: Path | None) -> None:
        self.call = call
        self.events = events
        self._rate = RecentRate()
        self._last_progress = -SECONDS_BETWEEN_PROGRESS
        self.metrics: dict[str, Any] = {}
        self.gates: list[GateResult] = []

    def event(self, kind: str, /, **values: Any) -> None:
        """Write an event."""
        if self.events is not None:
            append(self.events, kind, self.call, **values)
        else:
            line = json.dumps(make(kind, self.call, **values), default=str)
            # A single write that starts with a line end, because progress bars do not end their lines.
            os.write(sys.stdout.fileno(), f"\n::ftrun {line}\n".encode())

    def progress(self, step: float, total: float | None, unit: str, /, **values: Any) -> None:
        """Report progress, with the recent rate and the remaining seconds. Can be called for every step.

        The rate does not count steps before the first reported one, such as those of an earlier attempt.
        """
        now = time.monotonic()
        rate = self._rate.update(step, unit, now)
        if now - self._last_progress < SECONDS_BETWEEN_PROGRESS and not values and step != total:
            return
        self._last_progress = now
        seconds_left = round((total - step) / rate, 1) if total is not None and rate > 0 else None
        rounded = float(f"{rate:.4g}")  # to significant digits, because a step may take an hour
        self.event("progress", step=step, total=total, unit=unit, rate=rounded, seconds_left=seconds_left, **values)

    def warning(self, text: str, /, **values: Any) -> None:
        """Write a warning for the user."""
        self.event("warning", text=text, **values)

    def note(self, text: str, /) -> None:
        """Write a remark on the result. The manifest keeps it, and `ftrun show` prints it below the call."""
        self.metrics.setdefault("notes", []).append(text)
        self.event("note", text=text)

    def metric(self, **values: Any) -> None:
        """Record metrics, which are stored in the manifest of the artifact."""
        self.metrics.update(values)
        self.event("metric", **values)

    def gate(self, name: str, met: bool, detail: str) -> None:
        """Record whether the result meets a requirement. A run with an unmet requirement ends with exit code 3."""
        self.gates.append(GateResult(name=name, met=met, detail=detail))
        self.event("gate", name=name, met=met, detail=detail)


class StopRequest:
    """Flag that is true once the user has requested a stop. Long stages then save a checkpoint and stop."""

    def __init__(self) -> None:
        self.requested = False

    def __bool__(self) -> bool:
        return self.requested


class Stopped(Exception):
    """Exception of a stage that stopped because the user requested it."""


@dataclass(frozen=True)
class StageContext:
    """Everything that `run` of a stage may use besides its call.

    Args:
        output: The folder that becomes the artifact.
        work: A folder for unfinished work. The next attempt finds what the stage declares as `resumable`.
        inputs: Folders of the input artifacts, by role.
        files: Paths of the input files, by digest.
        report: The writer of the events of the call.
        stop: The flag that is true once the user has requested a stop.
        lock_descriptor: The file descriptor of the lock of the call, which child processes must inherit.
    """

    output: Path
    work: Path
    inputs: Mapping[str, Path]
    files: Mapping[str, Path]
    report: Reporter
    stop: StopRequest = field(default_factory=StopRequest)
    lock_descriptor: int | None = None
    _stamps: dict[str, tuple[int, ...]] = field(default_factory=dict)  # of the files before they are read, by digest

    def check_stop(self) -> None:
        """Raise `Stopped` if the user has requested a stop."""
        if self.stop:
            raise Stopped

    def file(self, digest: str) -> Path:
        """Return the path of an input file.

        Raises:
            InvalidInput: If the file changed after the run was planned.
        """
        path = self.files[digest]
        self._stamps[digest] = file_stamp(path)
        if sha256_of(path) != digest:
            raise _content_changed(f"{path} changed since this run was planned")
        return path

    def check_files(self) -> None:
        """Check the input files once more, after the stage has read them.

        Raises:
            InvalidInput: If a file changed while the stage read it. The artifact would get the wrong key.
        """
        for digest, stamp in self._stamps.items():
            path = self.files[digest]
            if not path.exists() or (file_stamp(path) != stamp and sha256_of(path) != digest):
                raise _content_changed(f"{path} changed while it was read")

    def component(self, call: StageCall, name: str) -> Any:
        """Return a new instance of a source, formatter or evaluator of the call.

        Raises:
            InvalidInput: If its code changed after the run was planned. The artifact would get the wrong key.
        """
        component = call.components[name]
        cls = load(component.implementation)
        if source_digest(cls) != component.source:
            raise _content_changed(f"the code of {name.replace(':', ' ')} changed since this run was planned")
        return cls()


def _content_changed(what: str) -> InvalidInput:
    return InvalidInput(Problem("content-changed", what, hint="start a new run; unchanged stages are cached"))


def load(implementation: str) -> Any:
    """Import the class that `module:Class` names."""
    module, _, name = implementation.partition(":")
    return getattr(importlib.import_module(module), name)
