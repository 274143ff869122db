"""The stage `evaluate`: scores of the base and the tuned model, their paired difference, gates, and what differs.

evaluation.json   by evaluation: both means, the difference with its interval, the verdict, the gate
samples.jsonl     rows on which the two models score differently, with both answers
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftrun.errors import Problem, Refused
from ftrun.plan.serving import BASE, TUNED
from ftrun.recipe.types import Frozen, Gate
from ftrun_plugins.evaluation.comparison import CONFIDENCE, Comparison, compare, mean

if TYPE_CHECKING:
    from ftrun.execute.context import StageContext
    from ftrun.plan.call import StageCall
    from ftrun.plan.planning import Planning
    from ftrun.recipe.types import Recipe


class Evaluation(Frozen):
    """One evaluation of the recipe."""

    evaluator: str
    options: dict[str, Any]
    gate: Gate | None


class Params(Frozen):
    """The evaluations by name."""

    evals: dict[str, Evaluation]


class Evaluate:
    """Needs no more than the client has: the costly parts are calls of their own."""

    name: ClassVar[str] = "evaluate"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "client"

    def plan(self, recipe: Recipe, planning: Planning) -> Sequence[StageCall]:
        made = {call.label: call for stage in ("generate", "loss") for call in planning.all(stage)}
        data = planning.find("format")
        if not recipe.evals or not made or data is None:
            return []
        evals = {
            name: Evaluation(evaluator=one.evaluator, options=one.options, gate=one.gate)
            for name, one in recipe.evals.items()
        }
        components = {
            f"evaluator:{one.evaluator}": planning.component("evaluator", one.evaluator)
            for one in recipe.evals.values()
        }
        return [planning.call(self, Params(evals=evals), inputs={**made, "data": data}, components=components)]

    def run(self, call: StageCall, context: StageContext) -> None:
        params = Params.model_validate(call.params)
        found: dict[str, Any] = {}
        with (context.output / "samples.jsonl").open("w") as samples:
            for done, (name, evaluation) in enumerate(params.evals.items()):
                context.report.progress(done, len(params.evals), "evaluations")
                evaluator = context.component(call, f"evaluator:{evaluation.evaluator}")
                scored = {
                    role: list(_scores(role, evaluator, evaluation, context))
                    for role in (BASE, TUNED)
                    if _made(role, evaluator, context)
                }
                found[name] = _summary(scored, evaluator)
                if evaluation.gate:
                    found[name]["gate"] = _judge(name, evaluation.gate, found[name], context)
                samples.writelines(
                    json.dumps({"evaluation": name, **sample}, ensure_ascii=False) + "\n"
                    for sample in _differing(scored)
                )
        (context.output / "evaluation.json").write_text(json.dumps(found, indent=1))
        context.report.metric(evaluation=found)


def _made(role: str, evaluator: Any, context: StageContext) -> bool:
    return _input(role, evaluator) in context.inputs


def _input(role: str, evaluator: Any) -> str:
    return f"{'generate' if evaluator.needs == 'predictions' else 'loss'}:{role}"


def _scores(role: str, evaluator: Any, evaluation: Evaluation, context: StageContext) -> Iterator[dict[str, Any]]:
    """One score a row, with what explains it."""
    folder = context.inputs[_input(role, evaluator)]
    if evaluator.needs == "loss":
        for line in _lines(folder / "losses.jsonl"):
            yield {"index": line["index"], "place": line["place"], "score": line["loss"]}
        return
    rows = list(_lines(context.inputs["data"] / "held_out.rows.jsonl"))
    options = type(evaluator).Options.model_validate(evaluation.options)
    for line in _lines(folder / "predictions.jsonl"):
        try:
            score, reason = evaluator.score(line["prediction"], line["reference"], rows[line["index"]], options)
        except ValueError as error:  # the evaluator's way of saying that the row is at fault
            raise Refused(
                Problem(str(error), where=line["place"], do="mend the row, or leave this evaluation out")
            ) from error
        yield {
            "index": line["index"],
            "place": line["place"],
            "score": float(score),
            "reason": reason,
            "answer": line["prediction"],
            "reference": line["reference"],
        }


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)


def _summary(scored: Mapping[str, Sequence[dict[str, Any]]], evaluator: Any) -> dict[str, Any]:
    values = {role: [row["score"] for row in rows] for role, rows in scored.items()}
    if not any(values.values()):
        raise Refused(
            Problem(
                "there are no held-out rows to evaluate",
                do="set dataset.split.held_out or dataset.held_out, or leave the evaluations out",
            )
        )
    found: dict[str, Any] = {
        "evaluator": evaluator.name,
        "higher_is_better": evaluator.higher_is_better,
        "rows": len(values[BASE]),
    }
    if TUNED not in values:
        return {**found, "base": round(mean(values[BASE]), 6)}
    result: Comparison = compare(values[BASE], values[TUNED], evaluator.higher_is_better)
    return {
        **found,
        "base": round(result.base, 6),
        "tuned": round(result.tuned, 6),
        "gain": round(result.gain, 6),
        "interval": [round(result.low, 6), round(result.high, 6)],
        "confidence": CONFIDENCE,
        "verdict": result.verdict,
    }


def _judge(name: str, gate: Gate, result: dict[str, Any], context: StageContext) -> list[dict[str, Any]]:
    """Whether each limit of a gate is met; the run's exit code follows from it."""
    value, gain = float(result.get("tuned", result["base"])), float(result.get("gain", 0.0))
    rules = (
        ("min", gate.min, value, gate.min is None or value >= gate.min, "at least"),
        ("max", gate.max, value, gate.max is None or value <= gate.max, "at most"),
        (
            "min_gain_over_base",
            gate.min_gain_over_base,
            gain,
            gate.min_gain_over_base is None or gain >= gate.min_gain_over_base,
            "a gain of at least",
        ),
    )
    judged = []
    for rule, limit, seen, met, words in rules:
        if limit is not None:
            context.report.gate(f"evals.{name}.gate.{rule}", met, f"{seen} where {words} {limit} is asked for")
            judged.append({"rule": rule, "limit": limit, "value": seen, "met": met})
    return judged


def _differing(scored: Mapping[str, Sequence[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Rows with answers on which the two models score differently."""
    for before, after in zip(scored.get(BASE, ()), scored.get(TUNED, ()), strict=False):
        if "answer" in before and before["score"] != after["score"]:
            yield {
                "place": before["place"],
                "reference": before["reference"],
                BASE: {key: before[key] for key in ("answer", "score", "reason")},
                TUNED: {key: after[key] for key in ("answer", "score", "reason")},
            }
