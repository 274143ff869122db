"""Scoring of pairs of answers in several threads. A later attempt continues, and scores unscored pairs again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

from ftrun.api.artifacts import FormattedRows, Scores
from ftrun.api.errors import Problem
from ftrun.api.evaluators import Pair, PairScores
from ftrun.api.prompts import prompt_texts
from ftrun.api.serving_spec import BASE, TUNED
from ftrun_plugins.evaluation.resumable_jsonl import ResumableJsonl
from ftrun_plugins.evaluation.score.answers import describe, read_source_rows, to_scored
from ftrun_plugins.evaluation.score.params import LABELS
from ftrun_plugins.evaluation.score.summary import ROLES
from ftrun_plugins.evaluation.score.unscored import RowGuard, Unscored

if TYPE_CHECKING:
    from ftrun.api.context import StageContext

ScoredRow: TypeAlias = tuple[dict[str, Any], Problem | None]  # and why it is unscored, if the row is not at fault
AnswersByRole: TypeAlias = Mapping[str, Mapping[str, Any]]


def score_pairs(
    evaluator: Any, options: Any, answers: Iterable[AnswersByRole], context: StageContext
) -> Iterator[ScoredRow]:
    """Yield the scores of each pair, in the order of the pairs."""
    rows, prompts = read_source_rows(context), prompt_texts(FormattedRows(context.inputs["data"]))
    results, guard = ResumableJsonl(context.work / Scores.ROWS), RowGuard()

    def score_pair(answers: AnswersByRole) -> ScoredRow:
        base, tuned = answers[BASE], answers[TUNED]
        index = base["index"]
        if index in results.lines:
            return results.lines[index], None
        context.check_stop()
        line = {"index": index, "place": base["place"], "reference": base["reference"]}
        if error := base.get("error") or tuned.get("error"):
            return {**line, **{role: describe(answers[role], None, error) for role in ROLES}}, None
        pair = Pair(prompts[index], base["reference"], base["prediction"], tuned["prediction"], rows[index])
        result = guard.run(lambda: evaluator.compare(pair, options))
        if isinstance(result, Unscored):
            return {**line, **{role: describe(answers[role], None, result.reason) for role in ROLES}}, result.problem
        line |= {"verdict": result.verdict, **({"judged_by": result.judged_by} if result.judged_by else {})}
        row = {**line, **_describe_pair(result, answers)}
        return (row if row[BASE]["score"] is None else results.add(row)), None

    with ThreadPoolExecutor(options.at_once) as pool:
        yield from pool.map(score_pair, answers)


def _describe_pair(result: PairScores, answers: AnswersByRole) -> dict[str, dict[str, Any]]:
    """Return the scores of both answers, or none of both, because they are compared with each other."""
    reason, scores = result.reason, {BASE: result.base, TUNED: result.tuned}
    try:
        known = {role: to_scored((score, reason))[0] for role, score in scores.items()}
    except ValueError as error:
        return {role: describe(answers[role], None, str(error)) for role in ROLES}
    return {role: describe(answers[role], score, reason) for role, score in known.items()}


def judge_labelled_pairs(evaluator: Any, options: Any, context: StageContext) -> list[tuple[str, str | None]]:
    """Return the verdict of a person and of the evaluator on each labelled pair, if the evaluator has such pairs.

    Raises:
        InvalidInput: If the evaluator fails for too many pairs in succession.
    """
    labelled = evaluator.labelled_pairs(options) if hasattr(evaluator, "labelled_pairs") else []
    results, guard = ResumableJsonl(context.work / LABELS), RowGuard()

    def judge(index: int) -> str | None:
        context.check_stop()
        if index in results.lines:
            return str(results.lines[index]["verdict"])
        result = guard.run(lambda: evaluator.compare(labelled[index].pair, options))
        if isinstance(result, Unscored) or result.base is None:
            return None
        return str(results.add({"index": index, "verdict": result.verdict})["verdict"])

    if not labelled:
        return []
    with ThreadPoolExecutor(options.at_once) as pool:
        verdicts = list(pool.map(judge, range(len(labelled))))
    return [(pair.verdict, verdict) for pair, verdict in zip(labelled, verdicts, strict=True)]
