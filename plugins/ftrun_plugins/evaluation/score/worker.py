"""Scoring of the answers of the base and the tuned model."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ftrun.api.artifacts import Answers, FormattedRows, Losses, Scores
from ftrun.api.errors import Problem
from ftrun.api.evaluators import Answer, Pair, PairScores
from ftrun.api.prompts import prompt_texts
from ftrun.api.serving_spec import BASE, TUNED
from ftrun_plugins.evaluation.candidates import ANSWERS
from ftrun_plugins.evaluation.finite import require_finite
from ftrun_plugins.evaluation.resumable_jsonl import ResumableJsonl
from ftrun_plugins.evaluation.score.summary import ROLES, Summary
from ftrun_plugins.evaluation.score.unscored import RowGuard, Unscored

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.stage_call import StageCall
    from ftrun_plugins.evaluation.score.params import Params

EVALUATOR = "evaluator"  # role of the component
ScoredRow: TypeAlias = tuple[dict[str, Any], Problem | None]  # and why it is unscored, if the row is not at fault


def score_rows(call: StageCall, params: Params, context: StageContext) -> None:
    """Write the scores of each row, and their description.

    Raises:
        InvalidInput: If there are no rows, or if none of them can be scored.
        FtrunError: If a loss is not finite.
    """
    evaluator = context.component(call, EVALUATOR)
    options = type(evaluator).Options.model_validate(params.options) if evaluator.needs in ANSWERS else None
    score = _score_pairs if evaluator.needs == "pairs" else _score_models
    summary = Summary()
    with (context.output / Scores.ROWS).open("w") as file:
        for row, problem in score(evaluator, options, context):
            context.check_stop()
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
            summary.add(row, problem)
            context.report.progress(summary.rows, None, "rows")
    summary.require_scores()
    meaning = {"evaluator": evaluator.name, "higher_is_better": evaluator.higher_is_better, **_read_meaning(context)}
    (context.output / Scores.MEANING).write_text(json.dumps(meaning))
    if summary.warning:
        context.report.warning(summary.warning)
    context.report.metric(**summary.metrics)


def _read_meaning(context: StageContext) -> dict[str, Any]:
    """Return the description of the scores from the stage that computed them. It is the same for both models."""
    inputs = [Scores(folder) for role, folder in context.inputs.items() if role in ROLES]
    has_meaning = [scores for scores in inputs if (scores.folder / Scores.MEANING).exists()]
    return {key: value for scores in has_meaning for key, value in scores.meaning.items()}


def _score_models(evaluator: Any, options: Any, context: StageContext) -> Iterator[ScoredRow]:
    """Score the answers of each model separately, or read the scores that another stage has computed."""
    folders = {role: context.inputs[role] for role in ROLES if role in context.inputs}
    if evaluator.needs not in ANSWERS:
        reader = Losses if evaluator.needs == "loss" else Scores
        files = [reader(folder).rows() for folder in folders.values()]
        for lines in zip(*files, strict=True):
            scores = {role: _read_score(line, role) for role, line in zip(folders, lines, strict=True)}
            yield {"index": lines[0]["index"], "place": lines[0]["place"], **scores}, None
        return
    rows, guard = _read_rows(context), RowGuard()
    for answers in _read_answers(folders):
        first = next(iter(answers.values()))
        found = {role: _score(evaluator, options, line, rows[line["index"]], guard) for role, line in answers.items()}
        row = {"index": first["index"], "place": first["place"], "reference": first["reference"]}
        row |= {role: score for role, (score, _) in found.items()}
        yield row, next((problem for _, problem in found.values() if problem), None)


def _read_score(line: Mapping[str, Any], role: str) -> dict[str, Any]:
    name = "loss" if "loss" in line else "score"
    if line[name] is None:
        return {"score": None, "reason": line.get("reason") or f"the {role} model has no {name}"}
    return {"score": require_finite(float(line[name]), f"the {name} of the {role} model", line["place"])}


def _score(
    evaluator: Any, options: Any, line: Mapping[str, Any], row: Mapping[str, Any], guard: RowGuard
) -> tuple[dict[str, Any], Problem | None]:
    answer = line["prediction"]
    prediction = Answer(answer, line["tokens"], line["stopped"]) if evaluator.needs == "answers" else answer
    result = guard.run(lambda: _to_scored(evaluator.score(prediction, line["reference"], row, options)))
    if isinstance(result, Unscored):
        return _describe(line, None, result.reason), result.problem
    return _describe(line, *result), None


def _to_scored(result: tuple[float | None, str | None]) -> tuple[float, str | None]:
    """Return the result of an evaluator.

    Raises:
        ValueError: If there is no score that can be compared.
    """
    score, reason = result
    if score is None:
        raise ValueError(reason or "the evaluator returned no score")
    if not math.isfinite(score):
        raise ValueError(f"the score is not a finite number: {score}")
    return float(score), reason


def _describe(line: Mapping[str, Any], score: float | None, reason: str | None) -> dict[str, Any]:
    """Return the score of an answer, with a flag if the maximum length ended the answer."""
    return {
        "score": score,
        "reason": reason,
        "answer": line["prediction"],
        **({} if line["stopped"] else {"cut": True}),
    }


def _score_pairs(evaluator: Any, options: Any, context: StageContext) -> Iterator[ScoredRow]:
    """Score the answers of both models in pairs, in several threads.

    A later attempt continues this one, and scores unscored pairs again.
    """
    rows, prompts = _read_rows(context), prompt_texts(FormattedRows(context.inputs["data"]))
    results, guard = ResumableJsonl(context.work / Scores.ROWS), RowGuard()

    def score_pair(answers: dict[str, dict[str, Any]]) -> ScoredRow:
        base, tuned = answers[BASE], answers[TUNED]
        index = base["index"]
        if index in results.lines:
            return results.lines[index], None
        context.check_stop()
        pair = Pair(prompts[index], base["reference"], base["prediction"], tuned["prediction"], rows[index])
        result = guard.run(lambda: evaluator.compare(pair, options))
        line = {"index": index, "place": base["place"], "reference": base["reference"]}
        if isinstance(result, Unscored):
            return {**line, **{role: _describe(answers[role], None, result.reason) for role in ROLES}}, result.problem
        row = {**line, "verdict": result.verdict, **_describe_pair(result, answers)}
        return (row if row[BASE]["score"] is None else results.add(row)), None

    with ThreadPoolExecutor(options.at_once) as pool:
        yield from pool.map(score_pair, _read_answers({role: context.inputs[role] for role in ROLES}))


def _describe_pair(result: PairScores, answers: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the scores of both answers, or none of both, because they are compared with each other."""
    reason, scores = result.reason, {BASE: result.base, TUNED: result.tuned}
    try:
        known = {role: _to_scored((score, reason))[0] for role, score in scores.items()}
    except ValueError as error:
        return {role: _describe(answers[role], None, str(error)) for role in ROLES}
    return {role: _describe(answers[role], score, reason) for role, score in known.items()}


def _read_answers(folders: Mapping[str, Path]) -> Iterator[dict[str, dict[str, Any]]]:
    """Yield the answers of the models to each row, by model."""
    files = [Answers(folder).rows() for folder in folders.values()]
    for answers in zip(*files, strict=True):
        yield dict(zip(folders, answers, strict=True))


def _read_rows(context: StageContext) -> list[dict[str, Any]]:
    return list(FormattedRows(context.inputs["data"]).held_out_source_rows())
