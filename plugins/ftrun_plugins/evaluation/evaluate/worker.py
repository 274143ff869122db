"""Compare the base and the tuned model by their scores, and check the gates."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import Evaluations, Scores
from ftrun.api.recipe import Gate
from ftrun.api.serving_spec import BASE, TUNED
from ftrun_plugins.evaluation.paired_comparison import CONFIDENCE, compare, mean

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.evaluate.params import Params


def evaluate(params: Params, context: StageContext) -> None:
    """Write the result of each evaluation, and the rows for which the scores of the models differ."""
    results: dict[str, Any] = {}
    with (context.output / Evaluations.SAMPLES).open("w") as samples:
        for done, (name, gate) in enumerate(params.evals.items()):
            context.report.progress(done, len(params.evals), "evaluations")
            scores = Scores(context.inputs[name])
            rows = [row for row in scores.rows() if _is_scored(row)]
            results[name] = _summarize(rows, scores.meaning)
            if gate:
                results[name]["gate"] = _check_gate(name, gate, results[name], context)
            samples.writelines(
                json.dumps({"evaluation": name, **sample}, ensure_ascii=False) + "\n" for sample in _find_samples(rows)
            )
    (context.output / Evaluations.RESULT).write_text(json.dumps(results, indent=1))
    context.report.metric(evaluation=results)


def _is_scored(row: Mapping[str, Any]) -> bool:
    return all(row[role]["score"] is not None for role in (BASE, TUNED) if role in row)


def _summarize(rows: Sequence[Mapping[str, Any]], meaning: Mapping[str, Any]) -> dict[str, Any]:
    values = {role: [row[role]["score"] for row in rows] for role in (BASE, TUNED) if role in rows[0]}
    summary: dict[str, Any] = {**meaning, "rows": len(rows)}
    if len(values) == 1:
        return {**summary, **{role: round(mean(scores), 6) for role, scores in values.items()}}
    result = compare(values[BASE], values[TUNED], meaning["higher_is_better"])
    return {
        **summary,
        "base": round(result.base, 6),
        "tuned": round(result.tuned, 6),
        "gain": round(result.gain, 6),
        "interval": [round(result.low, 6), round(result.high, 6)],
        "confidence": CONFIDENCE,
        "verdict": result.verdict,
    }


def _check_gate(name: str, gate: Gate, result: dict[str, Any], context: StageContext) -> list[dict[str, Any]]:
    """Report whether the scores meet each threshold of a gate. An unmet threshold changes the exit code of the run."""
    value, gain = float(result.get("tuned", result.get("base", 0.0))), float(result.get("gain", 0.0))
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
    checks = []
    for rule, limit, measured, met, condition in rules:
        if limit is not None:
            context.report.gate(f"evals.{name}.gate.{rule}", met, f"{measured}, required: {condition} {limit}")
            checks.append({"rule": rule, "limit": limit, "value": measured, "met": met})
    return checks


def _find_samples(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows with answers for which the scores of the two models differ."""
    for row in rows:
        base, tuned = row.get(BASE, {}), row.get(TUNED, {})
        if "answer" in base and "answer" in tuned and base["score"] != tuned["score"]:
            yield {"place": row["place"], "reference": row["reference"], BASE: base, TUNED: tuned}
