"""The formatted rows that a preview chooses from: made by the stage `format` itself, of a few rows where few do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ftrun.api.context import Reporter, StageContext, Stopped, StopRequest, load
from ftrun.api.dataset import Dataset
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.events import read
from ftrun.api.stage_call import CLIENT, StageCall
from ftrun.utils.atomic_io import read_json
from ftrun_plugins.preview.plan import PreviewPlan


@dataclass(frozen=True)
class Examples:
    """A folder as `format` leaves it; not `whole` where it was stopped after the first rows."""

    folder: Path
    whole: bool
    problems: tuple[Problem, ...] = ()  # that a run would stop with
    notes: tuple[str, ...] = ()  # what `format` decided, such as which formatter the data want


class StopAfter(StopRequest):
    """A wish to stop that comes with a later look: `format` looks before its first row and then every 2,000 rows."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks

    def __bool__(self) -> bool:
        self._left -= 1
        return self._left < 0


class PreviewContext(StageContext):
    """Does not read a file once more only to see that it is still the one that was planned with."""

    def file(self, digest: str) -> Path:
        return self.files[digest]


@contextmanager
def first_examples(planned: PreviewPlan) -> Iterator[Examples]:
    """Those of at least the first 2,000 rows; all of them where they are in the store already."""
    with _examples(planned, StopAfter(1)) as found:
        yield found


@contextmanager
def all_examples(planned: PreviewPlan) -> Iterator[Examples]:
    """Those of all rows: from the store, else in a folder that is gone afterwards."""
    with _examples(planned, StopRequest()) as found:
        yield found


@contextmanager
def _examples(planned: PreviewPlan, stop: StopRequest) -> Iterator[Examples]:
    call = planned.call("format")
    kept = planned.artifact(call)
    if kept is None and call.environment.name != CLIENT:
        kept = planned.made(call)
    if kept is not None:
        yield Examples(kept, whole=True, notes=tuple(dict.fromkeys(_choices(kept, planned.recipe.dataset))))
        return
    with TemporaryDirectory(prefix="ftrun-preview-") as folder:
        yield _format(planned, call, Path(folder), stop)


def _format(planned: PreviewPlan, call: StageCall, folder: Path, stop: StopRequest) -> Examples:
    output, work = folder / "output", folder / "work"
    output.mkdir()
    work.mkdir()
    inputs = {ref: other for other in planned.calls for ref in [other.ref]}
    events = folder / "events.jsonl"
    context = PreviewContext(
        output=output,
        work=work,
        inputs={role: planned.made(inputs[ref]) for role, ref in call.inputs.items()},
        files=call.local_files,
        report=Reporter(call.label, events),
        stop=stop,
    )
    whole, problems = True, tuple[Problem, ...]()
    try:
        load(call.implementation)().run(call, context)
    except Stopped:
        whole = False
    except InvalidInput as error:  # rows are bad: what is good of them can be looked at all the same
        problems = error.problems
    return Examples(output, whole, problems, tuple(event["text"] for event in read(events) if event["kind"] == "note"))


def _choices(folder: Path, dataset: Dataset) -> Iterator[str]:
    """What formatters chose that leave the work to others, in the words of `format`."""
    for source in (read_json(folder / "report.json") or {}).get("sources", ()):
        if "chose" in source:
            part = dataset.parts.get(source.get("part", ""))
            chooser = (part and part.formatter) or dataset.formatter
            yield f"{chooser.name if chooser else 'ftrun'} chose {source['chose']['name']}: {source['chose']['why']}"
