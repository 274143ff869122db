"""The stage `format`: rows become checked examples, one a line, for training and held out.

    train.jsonl held_out.jsonl   {"place": "data.jsonl:12", "messages": […], "tools": […]}, or `segments`, or `text`
    held_out.rows.jsonl          the raw row behind each held-out example, in the same order
    rejected.jsonl               place, code, reason and beginning of each bad row, if there are any
    report.json                  what `ftrun show` says about the rows

Everything keeps the order of the source, or of the mix, or of the shuffle that was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ftrun_plugins.data.format.params import OutsideFile, OutsideRepository, Params, Reading
from ftrun_plugins.data.format.stream import SourceReader
from ftrun_plugins.data.format.writer import ExampleWriter

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall
    from ftrun.planning.planner import Planner


class Format:
    """Streams rows in constant memory, and names the place of every bad one."""

    name: ClassVar[str] = "format"
    version: ClassVar[int] = 2
    environment: ClassVar[str] = "client"
    other_environments: ClassVar[tuple[str, ...]] = ("trainer",)  # of sources that need its packages

    def plan(self, recipe: Recipe, planning: Planner) -> Sequence[StageCall]:
        """One call. Raises `InvalidInput` where a data file is missing."""
        from ftrun_plugins.data.format.planner import FormatPlan

        planned = FormatPlan(planning)
        params = planned.params(recipe.dataset)
        return [
            planning.call(
                self,
                params,
                inputs=planned.inputs,
                components=planned.components,
                files=planned.files,
                environment=planned.environment,
            )
        ]

    def run(self, call: StageCall, context: StageContext) -> None:
        """Writes the examples. Raises `InvalidInput` with the bad rows, unless they are to be skipped."""
        params = Params.model_validate(call.params)
        with ExampleWriter(params, context) as formatting:
            mixed = [_stream(reading, params, call, context) for reading in params.mixed()]
            held_out = [_stream(reading, params, call, context) for reading in params.held_out_whole()]
            formatting.choose([*mixed, *held_out])
            formatting.take(mixed, params.limit)
            for stream in held_out:
                formatting.take([stream], None)
            formatting.finish()


def _stream(reading: Reading, params: Params, call: StageCall, context: StageContext) -> SourceReader:
    source = context.component(call, f"source:{reading.source.name}")
    options = source.Options.model_validate(reading.source.options)
    files = {file.name: _place(file, context) for file in reading.source.files}
    formatter = context.component(call, f"formatter:{reading.formatter.name}")
    return SourceReader(reading, lambda: source.rows(options, files), formatter, params.shuffle, context.work)


def _place(file: OutsideFile | OutsideRepository, context: StageContext) -> Path:
    if isinstance(file, OutsideRepository):
        return context.inputs[file.download] / "files"
    return context.file(file.sha256) if file.sha256 in context.files else context.inputs[file.download] / "content"
