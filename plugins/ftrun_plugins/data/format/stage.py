"""The stage `format`: converts rows into checked examples, one per line, for training and evaluation.

    train.jsonl validation.jsonl held_out.jsonl
                                 {"place": "data.jsonl:12", "messages": […], "tools": […]}, or `segments`, or `text`
    held_out.rows.jsonl          the raw row behind each held-out example, in the same order
    rejected.jsonl               place, code, reason and first characters of each bad row, if there are bad rows
    overlap.jsonl                place and index of each held-out row that overlaps with training rows, and their place
    report.json                  counts that `ftrun show` prints

All files keep the order of the source, of the mix, or of the shuffle.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ftrun.api.planner import CallRequest
from ftrun_plugins.data.format.params import OutsideFile, OutsideRepository, Params, Reading
from ftrun_plugins.data.format.stream import SourceReader
from ftrun_plugins.data.format.writer import ExampleWriter

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall


class Format:
    """Converter of rows into examples. Needs constant memory and reports the place of each bad row."""

    name: ClassVar[str] = "format"
    version: ClassVar[int] = 4
    environment: ClassVar[str] = "client"
    other_environments: ClassVar[tuple[str, ...]] = ("trainer",)  # for sources that need its packages

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        """Plan one call.

        Raises:
            InvalidInput: If a data file is missing.
        """
        from ftrun_plugins.data.format.planner import FormatPlan

        planned = FormatPlan(planner)
        params = planned.params(recipe.dataset)
        return [
            planner.call(
                self,
                CallRequest(
                    params,
                    inputs=planned.inputs,
                    components=planned.components,
                    files=planned.files,
                    environment=planned.environment,
                ),
            )
        ]

    def run(self, call: StageCall, context: StageContext) -> None:
        """Write the examples.

        Raises:
            InvalidInput: If rows are bad and the recipe does not skip bad rows, or if no row is left to train on.
        """
        params = Params.model_validate(call.params)
        with ExampleWriter(params, context) as writer:
            mixed = [_open_source(reading, params, call, context) for reading in params.mixed()]
            held_out = [_open_source(reading, params, call, context) for reading in params.held_out_whole()]
            writer.choose_formatters([*mixed, *held_out])
            writer.write_rows(mixed, params.limit)
            for stream in held_out:
                writer.write_rows([stream], None)
            writer.finish()


def _open_source(reading: Reading, params: Params, call: StageCall, context: StageContext) -> SourceReader:
    source = context.component(call, f"source:{reading.source.name}")
    options = source.Options.model_validate(reading.source.options)
    files = {file.name: _locate(file, context) for file in reading.source.files}
    formatter = context.component(call, f"formatter:{reading.formatter.name}")
    return SourceReader(reading, lambda: source.rows(options, files), formatter, params.shuffle, context.work)


def _locate(file: OutsideFile | OutsideRepository, context: StageContext) -> Path:
    if isinstance(file, OutsideRepository):
        return context.inputs[file.download] / "files"
    return context.file(file.sha256) if file.sha256 in context.files else context.inputs[file.download] / "content"
