"""Comparison of the tuned models of two runs, with the paired bootstrap that evaluations use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftrun.api.artifacts import Scores
from ftrun.api.errors import FtrunError
from ftrun.api.serving_spec import BASE, TUNED
from ftrun.api.stage_call import StageCall
from ftrun.plugins.manager import plugins
from ftrun.report.run_data import RunData
from ftrun_plugins.evaluation.paired_comparison import CONFIDENCE, compare

Comparison = dict[str, Any]


class NotComparable(Exception):
    """Two evaluations cannot be compared. The text is the reason."""


def compare_tuned_models(first: RunData, other: RunData) -> Iterator[Comparison]:
    """Yield a comparison for each evaluation that both runs have, or the reason why it is not possible."""
    for name in (name for name in first.evaluation if name in other.evaluation):
        names = {"evaluation": name, "run": other.record.id, "against": first.record.id}
        try:
            yield {**names, **_compare_scores(name, first, other)}
        except NotComparable as error:
            yield {**names, "reason": str(error)}
        except FtrunError as error:  # the machine with the scores cannot be reached
            yield {**names, "reason": error.problems[0].what}


def _compare_scores(name: str, first: RunData, other: RunData) -> Comparison:
    if _conditions(name, first) != _conditions(name, other):
        raise NotComparable("the runs have different rows, evaluators or options")
    ours, theirs = _scores(name, first), _scores(name, other)
    rows = sorted(ours.keys() & theirs.keys())
    if not rows:
        raise NotComparable("the runs have no rows in common")
    more_is_better = first.json(f"score:{name}", Scores.MEANING)["higher_is_better"]
    result = compare([ours[row] for row in rows], [theirs[row] for row in rows], more_is_better)
    return {
        "rows": result.rows,
        "tuned": [round(result.base, 6), round(result.tuned, 6)],
        "gain": round(result.gain, 6),
        "interval": [round(result.low, 6), round(result.high, 6)],
        "confidence": CONFIDENCE,
        "verdict": result.verdict,
    }


def _conditions(name: str, run: RunData) -> dict[str, Any]:
    """Return the properties that two comparable evaluations share: evaluator, options and rows, but not models."""
    call = _find_call(f"score:{name}", run)
    inputs = call.identity["inputs"]
    tuned = run.plan.call(call.inputs[TUNED]) if TUNED in call.inputs else None
    if tuned is None:
        raise NotComparable(f"{run.record.id} has no tuned model")
    conditions = {key: value for key, value in call.identity.items() if key != "inputs"}
    conditions["rows"] = [inputs.get("data"), tuned.identity["inputs"].get("data")]
    if _compares_pairs(call):
        conditions["base"] = inputs.get(BASE)  # the scores compare with the base model's answers
    return conditions


def _find_call(label: str, run: RunData) -> StageCall:
    call = next((call for call in run.plan.calls if call.label == label), None)
    if call is None:
        raise NotComparable(f"{run.record.id} has no scores of single rows")
    return call


def _compares_pairs(call: StageCall) -> bool:
    registered = plugins().of_kind("evaluator").get(call.params["evaluator"])
    return registered is not None and registered.cls.needs == "pairs"


def _scores(name: str, run: RunData) -> dict[tuple[int, str], float]:
    """Return the tuned model's score of each row that has one, by the row's index and place."""
    rows = run.lines(f"score:{name}", Scores.ROWS)
    tuned = {(row["index"], row["place"]): row[TUNED]["score"] for row in rows if TUNED in row}
    scores = {row: float(score) for row, score in tuned.items() if score is not None}
    if not scores:
        raise NotComparable(f"the scores of {run.record.id} are no longer in the store")
    return scores
