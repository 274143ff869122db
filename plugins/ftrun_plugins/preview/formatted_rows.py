"""Formatted rows for a preview, made by the stage `format` from the first rows or from all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ftrun.api.artifacts import FormattedRows
from ftrun.api.context import Reporter, StageContext, Stopped, StopRequest, load
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.events import read
from ftrun.api.stage_call import CLIENT, StageCall
from ftrun.utils.atomic_io import read_json
from ftrun_plugins.preview.plan import PreviewPlan


@dataclass(frozen=True)
class Examples:
    """Output folder of `format`. It is not `complete` if `format` was stopped after the first rows."""

    folder: Path
    complete: bool
    problems: tuple[Problem, ...] = ()  # errors that would stop a run
    notes: tuple[str, ...] = ()  # choices of `format`, such as the formatter


class StopAfter(StopRequest):
    """Stop request that is false for the first checks. `format` checks it at the first and then every 2,000th row."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self._left = checks

    def __bool__(self) -> bool:
        self._left -= 1
        return self._left < 0


class PreviewContext(StageContext):
    """Stage context that does not verify files against their digests, to save time."""

    def file(self, digest: str) -> Path:
        """Return the path of a file without reading it."""
        return self.files[digest]


@contextmanager
def first_examples(plan: PreviewPlan) -> Iterator[Examples]:
    """Return the examples of at least the first 2,000 rows, or of all rows if they are in the store."""
    with _open_examples(plan, StopAfter(1)) as examples:
        yield examples


@contextmanager
def all_examples(plan: PreviewPlan) -> Iterator[Examples]:
    """Return the examples of all rows, from the store or in a temporary folder."""
    with _open_examples(plan, StopRequest()) as examples:
        yield examples


@contextmanager
def _open_examples(plan: PreviewPlan, stop: StopRequest) -> Iterator[Examples]:
    call = plan.call("format")
    artifact = plan.find_artifact(call)
    if artifact is None and call.environment.name != CLIENT:
        artifact = plan.make_artifact(call)
    if artifact is not None:
        notes = (read_json(artifact / FormattedRows.REPORT) or {}).get("notes", ())
        yield Examples(artifact, complete=True, notes=tuple(notes))
        return
    with TemporaryDirectory(prefix="ftrun-preview-") as folder:
        yield _format(plan, call, Path(folder), stop)


def _format(plan: PreviewPlan, call: StageCall, folder: Path, stop: StopRequest) -> Examples:
    output, work = folder / "output", folder / "work"
    output.mkdir()
    work.mkdir()
    inputs = {ref: other for other in plan.calls for ref in [other.ref]}
    events = folder / "events.jsonl"
    context = PreviewContext(
        output=output,
        work=work,
        inputs={role: plan.make_artifact(inputs[ref]) for role, ref in call.inputs.items()},
        files=call.local_files,
        report=Reporter(call.label, events),
        stop=stop,
    )
    complete, problems = True, tuple[Problem, ...]()
    try:
        load(call.implementation)().run(call, context)
    except Stopped:
        complete = False
    except InvalidInput as error:  # the good rows can be shown although others are bad
        problems = error.problems
    return Examples(
        output, complete, problems, tuple(event["text"] for event in read(events) if event["kind"] == "note")
    )
