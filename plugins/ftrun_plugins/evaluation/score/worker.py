"""Scoring of the held-out rows in one evaluation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import Scores
from ftrun_plugins.evaluation.candidates import ANSWERS
from ftrun_plugins.evaluation.score.answers import read_answers, read_scores, score_answers
from ftrun_plugins.evaluation.score.options import load_options
from ftrun_plugins.evaluation.score.pairs import ScoredRow, judge_labelled_pairs, score_pairs
from ftrun_plugins.evaluation.score.summary import ROLES, Summary

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.stage_call import StageCall
    from ftrun_plugins.evaluation.score.params import Params

EVALUATOR = "evaluator"  # role of the component


def score_rows(call: StageCall, params: Params, context: StageContext) -> None:
    """Write the scores of each row, and their description.

    Raises:
        InvalidInput: If there are no rows, or if none of them can be scored.
        FtrunError: If a loss is not finite.
    """
    evaluator = context.component(call, EVALUATOR)
    options = load_options(evaluator, params.options, context) if evaluator.needs in ANSWERS else None
    summary = Summary()
    with (context.output / Scores.ROWS).open("w") as file:
        for row, problem in _score(evaluator, options, context):
            context.check_stop()
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
            summary.add(row, problem)
            context.report.progress(summary.rows, None, "rows")
    summary.require_scores()
    evidence = _describe_pairs(evaluator, options, context) if evaluator.needs == "pairs" else {}
    meaning = {"evaluator": evaluator.name, "higher_is_better": evaluator.higher_is_better, **_read_meaning(context)}
    (context.output / Scores.MEANING).write_text(json.dumps({**meaning, **evidence}, allow_nan=False))
    if summary.warning:
        context.report.warning(summary.warning)
    context.report.metric(**summary.metrics, **evidence)


def _score(evaluator: Any, options: Any, context: StageContext) -> Iterator[ScoredRow]:
    """Yield the scores of each row, and why it is unscored, if the row is not at fault."""
    folders = {role: context.inputs[role] for role in ROLES if role in context.inputs}
    if evaluator.needs == "pairs":
        yield from score_pairs(evaluator, options, read_answers(folders), context)
    elif evaluator.needs in ANSWERS:
        yield from score_answers(evaluator, options, folders, context)
    else:
        yield from ((row, None) for row in read_scores(evaluator.needs, folders))


def _describe_pairs(evaluator: Any, options: Any, context: StageContext) -> dict[str, Any]:
    """Return what the evaluator says of its verdicts, if it says something."""
    if not hasattr(evaluator, "describe_verdicts"):
        return {}
    labelled = judge_labelled_pairs(evaluator, options, context)
    evidence: dict[str, Any] = evaluator.describe_verdicts(Scores(context.output).rows(), labelled)
    return evidence


def _read_meaning(context: StageContext) -> dict[str, Any]:
    """Return the description of the scores from the stage that computed them. It is the same for both models."""
    inputs = [Scores(folder) for role, folder in context.inputs.items() if role in ROLES]
    has_meaning = [scores for scores in inputs if (scores.folder / Scores.MEANING).exists()]
    return {key: value for scores in has_meaning for key, value in scores.meaning.items()}
