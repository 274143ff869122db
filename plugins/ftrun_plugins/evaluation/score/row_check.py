"""Check of the held-out rows with an evaluator, before the training, because a wrong row has no score after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun.api.artifacts import FormattedRows
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.prompts import prompts
from ftrun_plugins.evaluation.candidates import NO_ROWS
from ftrun_plugins.evaluation.row_problems import RowProblems
from ftrun_plugins.evaluation.score.options import load_options
from ftrun_plugins.evaluation.score.unscored import shorten

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.stage_call import StageCall
    from ftrun_plugins.evaluation.score.params import Params

EVALUATOR = "evaluator"  # role of the component
MOST_REASONS = 5  # in a warning
HINT = "fix the rows, remove this evaluation, or set dataset.on_bad_row=skip, which leaves them unscored"


def check_rows(call: StageCall, params: Params, context: StageContext) -> None:
    """Check the reference and the columns of each held-out row.

    Raises:
        InvalidInput: If rows are wrong and the recipe does not skip bad rows, or if there are no rows.
    """
    evaluator = context.component(call, EVALUATOR)
    options = load_options(evaluator, params.options, context)
    data, wrong, rows = FormattedRows(context.inputs["data"]), RowProblems(), 0
    for prompt, row in zip(prompts(data, "held_out"), data.held_out_source_rows(), strict=False):  # no prompts of texts
        context.check_stop()
        rows += 1
        try:
            evaluator.check_row(prompt.reference, row, options)
        except ValueError as error:
            wrong.add(Problem("bad-evaluation-row", shorten(str(error)), hint=HINT), prompt.place)
        context.report.progress(rows, None, "rows")
    if not rows:
        raise InvalidInput(NO_ROWS)
    if wrong.count and params.on_bad_row == "stop":
        raise InvalidInput(wrong.problems())
    if wrong.count:
        reasons = wrong.describe(MOST_REASONS)
        context.report.warning(f"{wrong.count} of {rows} held-out rows cannot be scored: {reasons}")
    context.report.metric(rows=rows, wrong=wrong.count)
