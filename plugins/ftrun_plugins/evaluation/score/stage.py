"""The stage `score`: one evaluation's score of each held-out row, for the base and the tuned model.

scores.jsonl   by row: index and place, and for each model its score, the reason, the answer; a verdict on a pair
score.json     what the scores mean: the evaluator's name, and whether more is better
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.evaluators import Answer, Pair
from ftrun.api.recipe import Frozen
from ftrun.api.serving_spec import BASE, TUNED
from ftrun_plugins.evaluation.candidates import ANSWERS, NO_ROWS
from ftrun_plugins.evaluation.finite import require_finite
from ftrun_plugins.evaluation.prompts import asked
from ftrun_plugins.evaluation.resumable_jsonl import ResumableJsonl, read_lines

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall
    from ftrun.planning.planner import Planner

SCORES = "scores.jsonl"
MEANING = "score.json"
ROLES = (BASE, TUNED)
EVALUATOR = "evaluator"


class Params(Frozen):
    """One evaluation of the recipe; its gate is no part of it."""

    evaluator: str
    options: dict[str, Any]  # none where a stage has measured the rows: they are in its own key


class Score:
    """Each evaluation is a call of its own, in its evaluator's environment: adding one leaves the others cached."""

    name: ClassVar[str] = "score"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "client"
    other_environments: ClassVar[tuple[str, ...]] = ("server_cpu",)

    def plan(self, recipe: Recipe, planning: Planner) -> Sequence[StageCall]:
        return [call for name in recipe.evals for call in self._calls(name, recipe, planning)]

    def _calls(self, name: str, recipe: Recipe, planning: Planner) -> Iterator[StageCall]:
        evaluation = recipe.evals[name]
        evaluator = planning.plugins.get("evaluator", evaluation.evaluator).cls
        found = {role: planning.find(_measured(name, evaluator.needs, role)) for role in ROLES}
        inputs = {role: call for role, call in found.items() if call is not None}
        data = planning.find("format")
        if not inputs:
            return
        if evaluator.needs == "pairs" and TUNED not in inputs:
            what = f"{evaluator.name} compares two models, and the recipe trains none"
            raise InvalidInput(Problem("unsupported-evaluation", what, f"evals.{name}", hint="leave it out"))
        judges = evaluator.needs in ANSWERS
        if judges and data is not None:
            inputs["data"] = data
        yield planning.call(
            self,
            Params(evaluator=evaluation.evaluator, options=evaluation.options if judges else {}),
            label=f"{self.name}:{name}",
            inputs=inputs,
            environment=getattr(evaluator, "environment", self.environment),
            components={EVALUATOR: planning.component("evaluator", evaluation.evaluator)},
            optional_secrets=getattr(evaluator, "optional_secrets", ()),
        )

    def run(self, call: StageCall, context: StageContext) -> None:
        params = Params.model_validate(call.params)
        evaluator = context.component(call, EVALUATOR)
        options = type(evaluator).Options.model_validate(params.options) if evaluator.needs in ANSWERS else None
        scored = _judged if evaluator.needs == "pairs" else _each
        means, verdicts = dict.fromkeys(ROLES, 0.0), Counter[str]()
        rows = 0
        with (context.output / SCORES).open("w") as file:
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
        (context.output / MEANING).write_text(json.dumps(meaning))
        counted = {"verdicts": dict(verdicts)} if verdicts else {}
        context.report.metric(rows=rows, **{role: round(total / rows, 6) for role, total in means.items()}, **counted)


def _measured(name: str, needs: str, role: str) -> str:
    """Label of the call that gives an evaluation what it works on."""
    if needs in ANSWERS:
        return f"generate:{role}"
    return f"loss:{role}" if needs == "loss" else f"{needs}:{name}:{role}"


def _told(context: StageContext) -> dict[str, Any]:
    """What the stage that measured the rows says of its scores: the same for both models."""
    found = (folder / MEANING for role, folder in context.inputs.items() if role in ROLES)
    return {key: value for path in found if path.exists() for key, value in json.loads(path.read_text()).items()}


def _each(evaluator: Any, options: Any, context: StageContext) -> Iterator[dict[str, Any]]:
    """Scores each model's answers by themselves, or takes the scores that a stage has measured."""
    made = {role: context.inputs[role] for role in ROLES if role in context.inputs}
    if evaluator.needs not in ANSWERS:
        files = [
            read_lines(folder / ("losses.jsonl" if evaluator.needs == "loss" else SCORES)) for folder in made.values()
        ]
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
    rows, prompts = _rows(context), asked(context.inputs["data"])
    kept = ResumableJsonl(context.work / SCORES)

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
    files = [read_lines(folder / "predictions.jsonl") for folder in made.values()]
    for answers in zip(*files, strict=True):
        yield dict(zip(made, answers, strict=True))


def _rows(context: StageContext) -> list[dict[str, Any]]:
    return list(read_lines(context.inputs["data"] / "held_out.rows.jsonl"))
