"""Comparison of the tuned models of two runs, with the statistics that evaluations use."""

from __future__ import annotations

from typing import Any

from ftrun.api.artifacts import Evaluations, Scores
from ftrun.api.errors import FtrunError
from ftrun.api.serving_spec import BASE, TUNED
from ftrun.api.stage_call import StageCall
from ftrun.plugins.manager import plugins
from ftrun.report.run_data import RunData
from ftrun_plugins.evaluation.evaluate.summary import adjust_verdicts, describe
from ftrun_plugins.evaluation.statistics.comparison import compare_paired

Comparison = dict[str, Any]


class NotComparable(Exception):
    """Two evaluations cannot be compared. The text is the reason."""


def compare_tuned_models(first: RunData, other: RunData) -> list[Comparison]:
    """Return a comparison for each evaluation that both runs have, or the reason why it is not possible."""
    found: dict[str, Comparison] = {}
    for name in (name for name in first.evaluation if name in other.evaluation):
        try:
            found[name] = _compare_scores(name, first, other)
        except NotComparable as error:
            found[name] = {"reason": str(error)}
        except FtrunError as error:  # the machine with the scores cannot be reached
            found[name] = {"reason": error.problems[0].what}
    adjust_verdicts(found)
    names = {"run": other.record.id, "against": first.record.id}
    return [{"evaluation": name, **names, **comparison} for name, comparison in found.items()]


def _compare_scores(name: str, first: RunData, other: RunData) -> Comparison:
    if _conditions(name, first) != _conditions(name, other):
        raise NotComparable("the runs have different rows, evaluators or options")
    ours, theirs = _scores(name, first), _scores(name, other)
    rows = sorted(ours.keys() & theirs.keys())
    if not rows:
        raise NotComparable("the runs have no rows in common")
    more_is_better = first.json(f"score:{name}", Scores.MEANING)["higher_is_better"]
    clusters = _read_clusters(name, first)
    result = compare_paired(
        [ours[row] for row in rows],
        [theirs[row] for row in rows],
        clusters=[clusters.get(str(index), f"row {index}") for index, _ in rows] if clusters else None,
        higher_is_better=more_is_better,
    )
    return {"rows": result.n, "tuned": [round(result.base, 6), round(result.tuned, 6)], **describe(result)}


def _read_clusters(name: str, run: RunData) -> dict[str, str]:
    """Return the cluster of each row by its index, as the evaluation of a run formed them."""
    clusters = run.json("evaluate", Evaluations.CLUSTERS)
    return clusters.get(name, {}) if isinstance(clusters, dict) else {}


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
