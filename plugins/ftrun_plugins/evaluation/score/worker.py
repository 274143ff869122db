"""Score the answers of the base and the tuned model."""

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
from ftrun.api.serving_spec import BASE, TUNED
from ftrun_plugins.evaluation.candidates import ANSWERS, NO_ROWS
from ftrun_plugins.evaluation.finite import require_finite
from ftrun_plugins.evaluation.prompts import prompt_texts
from ftrun_plugins.evaluation.resumable_jsonl import ResumableJsonl

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.stage_call import StageCall
    from ftrun_plugins.evaluation.score.params import Params

ROLES = (BASE, TUNED)
EVALUATOR = "evaluator"  # role of the component


def score_rows(call: StageCall, params: Params, context: StageContext) -> None:
    """Write the scores of each row, and what they mean."""
    evaluator = context.component(call, EVALUATOR)
    options = type(evaluator).Options.model_validate(params.options) if evaluator.needs in ANSWERS else None
    scored = _judged if evaluator.needs == "pairs" else _each
    means, verdicts = dict.fromkeys(ROLES, 0.0), Counter[str]()
    rows = 0
    with (context.output / Scores.ROWS).open("w") as file:
        for row in scored(evaluator, options, context):
            context.check_stop()
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            rows += 1
            means = {role: total + row[role]["score"] for role, total in means.items() if role in row}
            verdicts.update([row["verdict"]] if row.get("verdict") else [])
            context.report.progress(rows, None, "rows")
    if not rows:
        raise InvalidInput(NO_ROWS)
    meaning = {"evaluator": evaluator.name, "higher_is_better": evaluator.higher_is_better, **_told(context)}
    (context.output / Scores.MEANING).write_text(json.dumps(meaning))
    counted = {"verdicts": dict(verdicts)} if verdicts else {}
    context.report.metric(rows=rows, **{role: round(total / rows, 6) for role, total in means.items()}, **counted)


def _told(context: StageContext) -> dict[str, Any]:
    """What the stage that measured the rows says of its scores: the same for both models."""
    measured = [Scores(folder) for role, folder in context.inputs.items() if role in ROLES]
    has_meaning = [scores for scores in measured if (scores.folder / Scores.MEANING).exists()]
    return {key: value for scores in has_meaning for key, value in scores.meaning.items()}


def _each(evaluator: Any, options: Any, context: StageContext) -> Iterator[dict[str, Any]]:
    """Scores each model's answers by themselves, or takes the scores that a stage has measured."""
    made = {role: context.inputs[role] for role in ROLES if role in context.inputs}
    if evaluator.needs not in ANSWERS:
        reader = Losses if evaluator.needs == "loss" else Scores
        files = [reader(folder).rows() for folder in made.values()]
        for measured in zip(*files, strict=True):
            scores = {role: {"score": _value(line, role)} for role, line in zip(made, measured, strict=True)}
            yield {"index": measured[0]["index"], "place": measured[0]["place"], **scores}
        return
    rows = _rows(context)
    for answered in _answered(made):
        first = next(iter(answered.values()))
        scores = {role: _score(evaluator, options, line, rows[line["index"]]) for role, line in answered.items()}
        yield {"index": first["index"], "place": first["place"], "reference": first["reference"], **scores}


def _value(line: Mapping[str, Any], role: str) -> float:
    name = "loss" if "loss" in line else "score"
    return require_finite(float(line[name]), f"the {name} of the {role} model", line["place"])


def _score(evaluator: Any, options: Any, line: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    answer = line["prediction"]
    given = Answer(answer, line["tokens"], line["stopped"]) if evaluator.needs == "answers" else answer
    with _places(line):
        score, reason = evaluator.score(given, line["reference"], row, options)
    found = require_finite(float(score), f"the score by `{evaluator.name}`", line["place"])
    return {"score": found, "reason": reason, "answer": answer}


@contextmanager
def _places(line: Mapping[str, Any]) -> Iterator[None]:
    """A `ValueError` is the evaluator's way of saying that the row is at fault: the user hears which row."""
    try:
        yield
    except ValueError as error:
        do = "mend the row, or leave this evaluation out"
        raise InvalidInput(Problem("bad-row", str(error), at=line["place"], hint=do)) from error


def _judged(evaluator: Any, options: Any, context: StageContext) -> Iterator[dict[str, Any]]:
    """Has both models' answers compared, several at one time; a later try goes on where this one ended."""
    rows, prompts = _rows(context), prompt_texts(FormattedRows(context.inputs["data"]))
    kept = ResumableJsonl(context.work / Scores.ROWS)

    def judge(answered: dict[str, dict[str, Any]]) -> dict[str, Any]:
        base, tuned = answered[BASE], answered[TUNED]
        index = base["index"]
        if index in kept.found:
            return kept.found[index]
        context.check_stop()
        pair = Pair(prompts[index], base["reference"], base["prediction"], tuned["prediction"], rows[index])
        with _places(base):
            scores = evaluator.compare(pair, options)
        judged = {
            role: {
                "score": require_finite(float(score), f"the score by `{evaluator.name}`", base["place"]),
                "reason": scores.reason,
                "answer": line["prediction"],
            }
            for role, score, line in ((BASE, scores.base, base), (TUNED, scores.tuned, tuned))
        }
        told = {"index": index, "place": base["place"], "reference": base["reference"], "verdict": scores.verdict}
        return kept.add({**told, **judged})

    with ThreadPoolExecutor(options.at_once) as pool:
        yield from pool.map(judge, _answered({role: context.inputs[role] for role in ROLES}))


def _answered(made: Mapping[str, Path]) -> Iterator[dict[str, dict[str, Any]]]:
    """The models' answers to the same row, by model."""
    files = [Answers(folder).rows() for folder in made.values()]
    for answers in zip(*files, strict=True):
        yield dict(zip(made, answers, strict=True))


def _rows(context: StageContext) -> list[dict[str, Any]]:
    return list(FormattedRows(context.inputs["data"]).held_out_source_rows())
