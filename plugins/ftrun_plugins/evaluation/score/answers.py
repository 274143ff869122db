"""Scoring of the answers of each model separately, and reading of the scores that another stage has computed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import Answers, FormattedRows, Losses, Scores
from ftrun.api.errors import Problem
from ftrun.api.evaluators import Answer
from ftrun.api.tool_calls import ToolCall
from ftrun_plugins.evaluation.finite import require_finite
from ftrun_plugins.evaluation.score.unscored import RowGuard, Unscored

if TYPE_CHECKING:
    from ftrun.api.context import StageContext


def read_scores(needs: str, folders: Mapping[str, Path]) -> Iterator[dict[str, Any]]:
    """Yield the scores of rows that a stage has computed.

    Raises:
        FtrunError: If a score is not finite.
    """
    reader = Losses if needs == "loss" else Scores
    files = [reader(folder).rows() for folder in folders.values()]
    for lines in zip(*files, strict=True):
        scores = {role: _read_score(line, role) for role, line in zip(folders, lines, strict=True)}
        yield {"index": lines[0]["index"], "place": lines[0]["place"], **scores}


def score_answers(
    evaluator: Any, options: Any, folders: Mapping[str, Path], context: StageContext
) -> Iterator[tuple[dict[str, Any], Problem | None]]:
    """Yield the scores of each row, and why it is unscored, if the row is not at fault."""
    rows, guard = read_source_rows(context), RowGuard()
    for answers in read_answers(folders):
        first = next(iter(answers.values()))
        found = {role: _score(evaluator, options, line, rows[line["index"]], guard) for role, line in answers.items()}
        row = {"index": first["index"], "place": first["place"], "reference": first["reference"]}
        row |= {role: score for role, (score, _) in found.items()}
        yield row, next((problem for _, problem in found.values() if problem), None)


def read_answers(folders: Mapping[str, Path]) -> Iterator[dict[str, Mapping[str, Any]]]:
    """Yield the answers of the models to each row, by model."""
    files = [Answers(folder).rows() for folder in folders.values()]
    for answers in zip(*files, strict=True):
        yield dict(zip(folders, answers, strict=True))


def read_source_rows(context: StageContext) -> list[dict[str, Any]]:
    """Return the raw rows behind the held-out examples."""
    return list(FormattedRows(context.inputs["data"]).held_out_source_rows())


def to_scored(result: tuple[float | None, str | None]) -> tuple[float, str | None]:
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


def describe(line: Mapping[str, Any], score: float | None, reason: str | None) -> dict[str, Any]:
    """Return the score of an answer, with a flag if the maximum length ended the answer."""
    cut = {} if line["stopped"] or line.get("error") else {"cut": True}
    return {"score": score, "reason": reason, "answer": line["prediction"], **cut}


def _score(
    evaluator: Any, options: Any, line: Mapping[str, Any], row: Mapping[str, Any], guard: RowGuard
) -> tuple[dict[str, Any], Problem | None]:
    if error := line.get("error"):
        return describe(line, None, error), None
    prediction = _read_answer(line) if evaluator.needs == "answers" else line["prediction"]
    result = guard.run(lambda: to_scored(evaluator.score(prediction, line["reference"], row, options)))
    if isinstance(result, Unscored):
        return describe(line, None, result.reason), result.problem
    return describe(line, *result), None


def _read_answer(line: Mapping[str, Any]) -> Answer:
    calls, expected = line.get("calls", []), line.get("reference_calls", [])
    return Answer(
        line["prediction"],
        line["tokens"],
        line["stopped"],
        None if calls is None else tuple(ToolCall(**call) for call in calls),
        tuple(ToolCall(**call) for call in expected),
    )


def _read_score(line: Mapping[str, Any], role: str) -> dict[str, Any]:
    name = "loss" if "loss" in line else "score"
    if line[name] is None:
        return {"score": None, "reason": line.get("reason") or f"the {role} model has no {name}"}
    return {"score": require_finite(float(line[name]), f"the {name} of the {role} model", line["place"])}
