"""Output of a stage that has finished, until it is published.

Hashing a large output takes minutes. If the process is killed meanwhile, the next attempt publishes the output of this
one: a finished download or training is not repeated.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ftrun.api.context import Reporter
from ftrun.api.errors import InvalidInput
from ftrun.api.manifest import GateResult
from ftrun.api.paths import Scratch
from ftrun.api.redaction import redact_all
from ftrun.api.stored_files import StoredModel, read_stored
from ftrun.utils.atomic_io import write_json


class FinishedOutput(StoredModel):
    """Results of a stage that has finished, and the sizes of its files in bytes."""

    seconds: float
    metrics: dict[str, Any]
    gates: tuple[GateResult, ...]
    files: dict[str, int]


def save_finished(scratch: Scratch, report: Reporter, seconds: float) -> FinishedOutput:
    """Record that the stage has finished."""
    finished = FinishedOutput(
        seconds=seconds, metrics=report.metrics, gates=tuple(report.gates), files=_sizes(scratch.output)
    )
    write_json(scratch.finished, redact_all(finished.model_dump(mode="json")))
    return finished


def read_finished(scratch: Scratch) -> FinishedOutput | None:
    """Return the results of an earlier attempt whose whole output is still in scratch, or None."""
    try:
        finished = read_stored(scratch.finished, FinishedOutput, "the finished output")
    except InvalidInput:
        return None
    return finished if finished.files == _sizes(scratch.output) else None


def _sizes(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
