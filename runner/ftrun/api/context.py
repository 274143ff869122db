"""What a running stage sees: its call, its inputs, a place to write, and a way to report."""

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
from ftrun.utils.digests import sha256_of, source_digest

SECONDS_BETWEEN_PROGRESS = 0.5


class Reporter:
    """Writes the events of one stage call, into the run's event log or, where no file is shared, between its output."""

    def __init__(self, call: str, events: Path | None) -> None:
        self.call = call
        self.events = events
        self._rate = RecentRate()
        self._last_progress = -SECONDS_BETWEEN_PROGRESS
        self.metrics: dict[str, Any] = {}
        self.gates: list[GateResult] = []

    def event(self, kind: str, /, **values: Any) -> None:
        if self.events is not None:
            append(self.events, kind, self.call, **values)
        else:
            line = json.dumps(make(kind, self.call, **values), default=str)
            # one write, on a line of its own: progress bars leave lines open
            os.write(sys.stdout.fileno(), f"\n::ftrun {line}\n".encode())

    def progress(self, step: float, total: float | None, unit: str, /, **values: Any) -> None:
        """Report how far the call is, with its recent rate and the seconds left. May be called for every step.

        Steps before the first that is reported, as those of an earlier try, do not count in the rate.
        """
        now = time.monotonic()
        rate = self._rate.update(step, unit, now)
        if now - self._last_progress < SECONDS_BETWEEN_PROGRESS and not values and step != total:
            return
        self._last_progress = now
        left = round((total - step) / rate, 1) if total is not None and rate > 0 else None
        shown = float(f"{rate:.4g}")  # digits that count: a step may take an hour
        self.event("progress", step=step, total=total, unit=unit, rate=shown, seconds_left=left, **values)

    def warning(self, text: str, /, **values: Any) -> None:
        self.event("warning", text=text, **values)

    def metric(self, **values: Any) -> None:
        """Numbers for the record; they are kept in the artifact's manifest."""
        self.metrics.update(values)
        self.event("metric", **values)

    def gate(self, name: str, met: bool, detail: str) -> None:
        """Whether a requirement on the result is met; a run with one that is not ends with exit code 3."""
        self.gates.append(GateResult(name=name, met=met, detail=detail))
        self.event("gate", name=name, met=met, detail=detail)


class StopRequest:
    """Set once the user asked to stop; long stages look at it and leave a checkpoint."""

    def __init__(self) -> None:
        self.requested = False

    def __bool__(self) -> bool:
        return self.requested


class Stopped(Exception):
    """Raised by a stage that stopped because it was asked to."""


@dataclass(frozen=True)
class StageContext:
    """Everything that a stage's `run` may touch besides its call."""

    output: Path  # becomes the artifact
    work: Path  # kept when the call fails or is killed, so that its next try can go on
    inputs: Mapping[str, Path]  # role -> folder of the artifact
    files: Mapping[str, Path]  # digest -> outside file
    report: Reporter
    stop: StopRequest = field(default_factory=StopRequest)
    lock_descriptor: int | None = None  # to be inherited by child processes

    def check_stop(self) -> None:
        """Raises `Stopped` if the user asked to stop."""
        if self.stop:
            raise Stopped

    def file(self, digest: str) -> Path:
        """One of the outside files. Raises `InvalidInput` where it is another by now than when the run was planned."""
        path = self.files[digest]
        if sha256_of(path) != digest:
            what = f"{path} changed since this run was planned"
            raise InvalidInput(Problem("file-not-found", what, hint="start a new run: what did not change is cached"))
        return path

    def component(self, call: StageCall, name: str) -> Any:
        """A new instance of one of the call's sources, formatters or evaluators.

        Raises:
            InvalidInput: its code was edited since the plan was made; the artifact would lie under the wrong key.
        """
        component = call.components[name]
        cls = load(component.implementation)
        if source_digest(cls) != component.source:
            what = f"the code of {name.replace(':', ' ')} changed since this run was planned"
            raise InvalidInput(Problem("content-changed", what, hint="start a new run: what did not change is cached"))
        return cls()


def load(implementation: str) -> Any:
    """The class named by `module:Class`."""
    module, _, name = implementation.partition(":")
    return getattr(importlib.import_module(module), name)
