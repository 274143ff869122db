"""Scoring of the answers of the base and the tuned model."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import Answers, FormattedRows, Losses, Scores
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.evaluators import Answer, Pair
from ftrun.api.prompts import prompt_texts
from ftrun.api.serving_spec import BASE, TUNED
from ftrun_plugins.evaluation.candidates import ANSWERS, NO_ROWS
from ftrun_plugins.evaluation.finite import require_finite
from ftrun_plugins.evaluation.resumable_jsonl import ResumableJsonl

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.stage_call import StageCall
    from ftrun_plugins.evaluation.score.params import Params

ROLES = (BASE, TUNED)
EVALUATOR = "evaluator"  # role of the component


def score_rows(call: StageCall, params: Params, context: StageContext) -> None:
    """Write the scores of each row, and their description.

    Raises:
        InvalidInput: If there are no rows, or if a row is wrong.
        FtrunError: If a score is not finite.
    """
    evaluator = context.component(call, EVALUATOR)
    options = type(evaluator).Options.model_validate(params.options) if evaluator.needs in ANSWERS else None
    score = _score_pairs if evaluator.needs == "pairs" else _score_models
    means, verdicts = dict.fromkeys(ROLES, 0.0), Counter[str]()
    rows = 0
    with (context.output / Scores.ROWS).open("w") as file:
        for row in score(evaluator, options, context):
            context.check_stop()
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            rows += 1
            means = {role: total + row[role]["score"] for role, total in means.items() if role in row}
            verdicts.update([row["verdict"]] if row.get("verdict") else [])
            context.report.progress(rows, None, "rows")
    if not rows:
        raise InvalidInput(NO_ROWS)
    meaning = {"evaluator": evaluator.name, "higher_is_better": evaluator.higher_is_better, **_read_meaning(context)}
    (context.output / Scores.MEANING).write_text(json.dumps(meaning))
    counted = {"verdicts": dict(verdicts)} if verdicts else {}
    context.report.metric(rows=rows, **{role: round(total / rows, 6) for role, total in means.items()}, **counted)


def _read_meaning(context: StageContext) -> dict[str, Any]:
    """Return the description of the scores from the stage that computed them. It is the same for both models."""
    inputs = [Scores(folder) for role, folder in context.inputs.items() if role in ROLES]
    has_meaning = [scores for scores in inputs if (scores.folder / Scores.MEANING).exists()]
    return {key: value for scores in has_meaning for key, value in scores.meaning.items()}


def _score_models(evaluator: Any, options: Any, context: StageContext) -> Iterator[dict[str, Any]]:
    """Score the answers of each model separately, or read the scores that another stage has computed."""
    folders = {role: context.inputs[role] for role in ROLES if role in context.inputs}
    if evaluator.needs not in ANSWERS:
        reader = Losses if evaluator.needs == "loss" else Scores
        files = [reader(folder).rows() for folder in folders.values()]
        for lines in zip(*files, strict=True):
            scores = {role: {"score": _read_score(line, role)} for role, line in zip(folders, lines, strict=True)}
            yield {"index": lines[0]["index"], "place": lines[0]["place"], **scores}
        return
    rows = _read_rows(context)
    for answers in _read_answers(folders):
        first = next(iter(answers.values()))
        scores = {role: _score(evaluator, options, line, rows[line["index"]]) for role, line in answers.items()}
        yield {"index": first["index"], "place": first["place"], "reference": first["reference"], **scores}


def _read_score(line: Mapping[str, Any], role: str) -> float:
    name = "loss" if "loss" in line else "score"
    return require_finite(float(line[name]), f"the {name} of the {role} model", line["place"])


def _score(evaluator: Any, options: Any, line: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    answer = line["prediction"]
    prediction = Answer(answer, line["tokens"], line["stopped"]) if evaluator.needs == "answers" else answer
    with _report_place(line):
        score, reason = evaluator.score(prediction, line["reference"], row, options)
    value = require_finite(float(score), f"the score by `{evaluator.name}`", line["place"])
    return {"score": value, "reason": reason, "answer": answer}


@contextmanager
def _report_place(line: Mapping[str, Any]) -> Iterator[None]:
    """Turn a ValueError of an evaluator, which means that the row is wrong, into an error with the place of the row.

    Raises:
        InvalidInput: If the block raises a ValueError.
    """
    try:
        yield
    except ValueError as error:
        hint = "fix the row, or remove this evaluation"
        raise InvalidInput(Problem("bad-row", str(error), at=line["place"], hint=hint)) from error


def _score_pairs(evaluator: Any, options: Any, context: StageContext) -> Iterator[dict[str, Any]]:
    """Score the answers of both models in pairs, in several threads. A later attempt continues this one."""
    rows, prompts = _read_rows(context), prompt_texts(FormattedRows(context.inputs["data"]))
    results = ResumableJsonl(context.work / Scores.ROWS)

    def score_pair(answers: dict[str, dict[str, Any]]) -> dict[str, Any]:
        base, tuned = answers[BASE], answers[TUNED]
        index = base["index"]
        if index in results.lines:
            return results.lines[index]
        context.check_stop()
        pair = Pair(prompts[index], base["reference"], base["prediction"], tuned["prediction"], rows[index])
        with _report_place(base):
            scores = evaluator.compare(pair, options)
        by_role = {
            role: {
                "score": require_finite(float(score), f"the score by `{evaluator.name}`", base["place"]),
                "reason": scores.reason,
                "answer": line["prediction"],
            }
            for role, score, line in ((BASE, scores.base, base), (TUNED, scores.tuned, tuned))
        }
        line = {"index": index, "place": base["place"], "reference": base["reference"], "verdict": scores.verdict}
        return results.add({**line, **by_role})

    with ThreadPoolExecutor(options.at_once) as pool:
        yield from pool.map(score_pair, _read_answers({role: context.inputs[role] for role in ROLES}))


def _read_answers(folders: Mapping[str, Path]) -> Iterator[dict[str, dict[str, Any]]]:
    """Yield the answers of the models to each row, by model."""
    files = [Answers(folder).rows() for folder in folders.values()]
    for answers in zip(*files, strict=True):
        yield dict(zip(folders, answers, strict=True))


def _read_rows(context: StageContext) -> list[dict[str, Any]]:
    return list(FormattedRows(context.inputs["data"]).held_out_source_rows())
