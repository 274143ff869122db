"""Check of the written examples: held-out rows that training rows repeat, listed in `overlap.jsonl`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson

from ftrun.api.artifacts import FormattedRows
from ftrun.api.context import StageContext
from ftrun.api.errors import Problem
from ftrun.utils.text import MOST_PLACES, list_places
from ftrun_plugins.data.format.overlap_index import KINDS, HeldOutIndex, Kind, Overlap, RowTexts, find_common_shingles

ROWS_BETWEEN_CHECKS = 2000  # for cancellation and progress
SAMPLE = 200  # rows of each split in which common shingles are looked for
COMMON = 0.2  # share of these rows
DESCRIPTIONS: dict[Kind, str] = {
    "equal": "equal to a training row",
    "question": "with the question of a training row",
    "conversation": "of a conversation that is trained",
    "near": "nearly equal to a training row",
    "passage": "with a passage of a training row",
}
HINT = (
    "remove them from one side, or set dataset.split.by to a column that keeps them together;"
    f" with dataset.checks.overlap=report, {FormattedRows.OVERLAP} lists all of them"
)


@dataclass(frozen=True)
class Overlaps:
    """Held-out rows that overlap with training rows."""

    held_out: int
    found: dict[int, Overlap]  # by index of the held-out row
    places: dict[int, str]

    @property
    def leaked(self) -> int:
        """Number of the rows that overlap in another way than by a passage."""
        return sum(overlap.kind != "passage" for overlap in self.found.values())

    @property
    def kinds(self) -> dict[Kind, int]:
        counts = Counter(overlap.kind for overlap in self.found.values())
        return {kind: counts[kind] for kind in KINDS if counts[kind]}

    def report(self) -> dict[str, Any]:
        return {"held_out": self.held_out, "rows": self.leaked, "kinds": self.kinds}

    def describe(self, *, passages: bool) -> str:
        """Return the number of rows by kind: those of passages, or all others."""
        kinds = {kind: count for kind, count in self.kinds.items() if (kind == "passage") is passages}
        listed = ", ".join(f"{count} {DESCRIPTIONS[kind]}" for kind, count in kinds.items())
        return f"{sum(kinds.values())} of {self.held_out} held-out rows overlap with training rows: {listed}"

    def problems(self) -> Iterator[Problem]:
        """Yield a problem for each kind but `passage`, with the first places."""
        for kind, count in self.kinds.items():
            if kind != "passage":
                some = [index for index, overlap in self.found.items() if overlap.kind == kind][:MOST_PLACES]
                places = [f"{self.places[index]} (training: {self.found[index].place})" for index in some]
                what = f"{count} of {self.held_out} held-out rows are {DESCRIPTIONS[kind]}"
                yield Problem(
                    "held-out-overlap",
                    what,
                    list_places(places, count, "similar rows"),
                    hint=HINT,
                )


def find_overlaps(context: StageContext, train: int, held_out: int) -> Overlaps:
    """Compare all examples of the artifact, and write its list of overlaps.

    Validation rows count as training rows, because they choose the model.

    Args:
        context: Context of the call, whose output holds the examples.
        train: Number of training rows.
        held_out: Number of held-out rows.
    """
    files = FormattedRows(context.output)
    samples = (*_sample(files.path("held_out"), held_out), *_sample(files.path("train"), train))
    index, places = HeldOutIndex(find_common_shingles(samples, COMMON)), []
    for line in _read(files.path("held_out")):
        index.add(RowTexts(line))
        places.append(line["place"])
    for number, line in enumerate(chain(_read(files.path("train")), _read(files.path("validation")))):
        if number % ROWS_BETWEEN_CHECKS == 0:
            context.check_stop()
            context.report.progress(number, train, "rows compared")
        index.compare(RowTexts(line), line["place"])
    overlaps = Overlaps(len(places), dict(sorted(index.found.items())), {i: places[i] for i in index.found})
    _write(files, overlaps)
    return overlaps


def _sample(path: Path, rows: int) -> Iterator[RowTexts]:
    step = max(1, rows // SAMPLE)
    with path.open("rb") as file:
        for line in islice(file, 0, SAMPLE * step, step):
            yield RowTexts(orjson.loads(line))


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        yield from map(orjson.loads, file)


def _write(files: FormattedRows, overlaps: Overlaps) -> None:
    with (files.folder / FormattedRows.OVERLAP).open("wb") as file:
        for index, overlap in overlaps.found.items():
            line = {"index": index, "place": overlaps.places[index], "kind": overlap.kind}
            file.write(orjson.dumps({**line, "train": overlap.place, "rows": overlap.rows}) + b"\n")
