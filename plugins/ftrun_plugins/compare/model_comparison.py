"""Whether the tuned models of two runs differ, by the same paired bootstrap that judges them against their bases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftrun.api.errors import FtrunError
from ftrun.api.serving_spec import BASE, TUNED
from ftrun.api.stage_call import StageCall
from ftrun.plugins.manager import plugins
from ftrun.report.run_data import RunData
from ftrun_plugins.evaluation.paired_comparison import CONFIDENCE, compare

Comparison = dict[str, Any]


class NotComparable(Exception):
    """Two evaluations say nothing about each other; the text says why."""


def against(first: RunData, other: RunData) -> Iterator[Comparison]:
    """One comparison for each evaluation that both runs have; one that cannot be made has its reason."""
    for name in (name for name in first.evaluation if name in other.evaluation):
        named = {"evaluation": name, "run": other.record.id, "against": first.record.id}
        try:
            yield {**named, **_compared(name, first, other)}
        except NotComparable as error:
            yield {**named, "reason": str(error)}
        except FtrunError as error:  # where the scores are cannot be reached
            yield {**named, "reason": error.problems[0].what}


def _compared(name: str, first: RunData, other: RunData) -> Comparison:
    if _meaning(name, first) != _meaning(name, other):
        raise NotComparable("they were not evaluated on the same rows in the same way")
    ours, theirs = _scores(name, first), _scores(name, other)
    rows = sorted(ours.keys() & theirs.keys())
    if not rows:
        raise NotComparable("they were evaluated on different rows")
    more_is_better = first.json(f"score:{name}", "score.json")["higher_is_better"]
    result = compare([ours[row] for row in rows], [theirs[row] for row in rows], more_is_better)
    return {
        "rows": result.rows,
        "tuned": [round(result.base, 6), round(result.tuned, 6)],
        "gain": round(result.gain, 6),
        "interval": [round(result.low, 6), round(result.high, 6)],
        "confidence": CONFIDENCE,
        "verdict": result.verdict,
    }


def _meaning(name: str, run: RunData) -> dict[str, Any]:
    """What two evaluations have to share: evaluator, options and rows, but not the models."""
    call = _call(f"score:{name}", run)
    inputs = call.identity["inputs"]
    measured = run.plan.call(call.inputs[TUNED]) if TUNED in call.inputs else None
    if measured is None:
        raise NotComparable(f"{run.record.id} has no tuned model")
    found = {key: value for key, value in call.identity.items() if key != "inputs"}
    found["rows"] = [inputs.get("data"), measured.identity["inputs"].get("data")]
    if _compares_pairs(call):
        found["base"] = inputs.get(BASE)  # its scores say how a model does against that one
    return found


def _call(label: str, run: RunData) -> StageCall:
    call = next((call for call in run.plan.calls if call.label == label), None)
    if call is None:
        raise NotComparable(f"{run.record.id} kept no scores of single rows")
    return call


def _compares_pairs(call: StageCall) -> bool:
    registered = plugins().of_kind("evaluator").get(call.params["evaluator"])
    return registered is not None and registered.cls.needs == "pairs"


def _scores(name: str, run: RunData) -> dict[tuple[int, str], float]:
    """The tuned model's score of each row, by the row's index and place."""
    rows = run.lines(f"score:{name}", "scores.jsonl")
    found = {(row["index"], row["place"]): float(row[TUNED]["score"]) for row in rows if TUNED in row}
    if not found:
        raise NotComparable(f"the scores of {run.record.id} are not there any more")
    return found
