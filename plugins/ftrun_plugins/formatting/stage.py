"""The stage `format`: rows become checked examples, one a line, for training and held out.

    train.jsonl held_out.jsonl   {"place": "data.jsonl:12", "messages": […], "tools": […]}, or `segments`, or `text`
    held_out.rows.jsonl          the raw row behind each held-out example, in the same order
    rejected.jsonl               place, reason and beginning of each bad row, where there are any
    report.json                  what `ftrun show` says about the rows

Everything keeps the order of the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ftrun_plugins.formatting.params import Params, SourcePart
from ftrun_plugins.formatting.rows import Formatting

if TYPE_CHECKING:
    from ftrun.contracts import BadRow
    from ftrun.examples import Row
    from ftrun.execute.context import StageContext
    from ftrun.plan.call import StageCall
    from ftrun.plan.planning import Planning
    from ftrun.recipe.types import Recipe


class Format:
    """Streams rows in constant memory, and names the place of every bad one."""

    name: ClassVar[str] = "format"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "client"

    def plan(self, recipe: Recipe, planning: Planning) -> Sequence[StageCall]:
        """One call. Raises `Refused` where a data file is missing."""
        from ftrun_plugins.formatting.planned import Planned

        planned = Planned(planning)
        params = planned.params(recipe.dataset)
        call = planning.call(self, params, inputs=planned.inputs, components=planned.components, files=planned.files)
        return [call]

    def run(self, call: StageCall, context: StageContext) -> None:
        """Writes the examples. Raises `Refused` with the bad rows, unless they are to be skipped."""
        params = Params.model_validate(call.params)
        formatter = context.component(call, f"formatter:{params.formatter.name}")
        with Formatting(params, formatter, context) as formatting:
            formatting.choose(_rows(part, call, context) for _, part in params.sources())
            for role, part in params.sources():
                formatting.take(role, part, _rows(part, call, context))
            formatting.finish()


def _rows(part: SourcePart, call: StageCall, context: StageContext) -> Iterator[Row | BadRow]:
    source = context.component(call, f"source:{part.name}")
    files: dict[str, Path] = {}
    for file in part.files:
        here = file.sha256 in context.files
        files[file.name] = context.file(file.sha256) if here else context.inputs[file.download] / "content"
    rows: Iterator[Row | BadRow] = source.rows(source.Options.model_validate(part.options), files)
    return rows
