"""Section on evaluations: means of both models, the gain with its interval, and the gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ftrun.report.charts import interval_chart
from ftrun.report.evaluation_details import evaluation_details, format_p, gate_text
from ftrun.report.number_format import number
from ftrun.report.run_data import RunData
from ftrun.report.table import Table
from ftrun.store.run_record import EvaluationResult, GateRule, SliceResult

VERDICTS = ("better", "worse", "no difference seen", "no verdict")


def evaluation(run: RunData) -> dict[str, Any] | None:
    results = run.evaluation
    if not results:
        return None
    return {
        "has_gain": any("gain" in result for result in results.values()),
        "cards": [_card(name, result) for name, result in results.items()],
    }


def conclusion(results: Mapping[str, EvaluationResult]) -> str | None:
    """Return one sentence that summarizes all evaluations, or None if there are none."""
    verdicts = Counter(result["verdict"] for result in results.values() if result.get("verdict"))
    if not verdicts:
        return "Only one model was evaluated, so there is no comparison." if results else None
    count = sum(verdicts.values())
    parts = [f"{verdict} in {verdicts[verdict]} of {count}" for verdict in VERDICTS if verdict in verdicts]
    return f"The tuned model compared with the base model: {', '.join(parts)} evaluation{'s' if count > 1 else ''}."


def _card(name: str, result: EvaluationResult) -> dict[str, Any]:
    verdict = result.get("verdict")
    return {
        "name": name,
        "verdict": verdict,
        "tone": {"better": "good", "worse": "bad"}.get(verdict or "", "plain"),
        "chart": _chart(result),
        "facts": list(_numbers(name, result)),
        "slices": _slices(name, result),
        "details": "; ".join(evaluation_details(result)),
        "gates": [_gate(rule) for rule in result.get("gate", ())],
    }


def _slices(name: str, result: EvaluationResult) -> Table | None:
    """Return the table of the slices, in the order of the record: the largest loss first."""
    slices = result.get("slices")
    if not slices:
        return None
    titles = ("slice", "by", "rows", "wins", "losses", "gain", "corrected interval", "p", "adjusted p", "verdict")
    return Table(f"Slices of {name}", titles, [list(_slice_cells(part)) for part in slices], numbers=range(2, 9))


def _slice_cells(part: SliceResult) -> Iterator[str]:
    yield part.get("slice", "")
    yield part.get("by", "")
    for count in (part.get("rows"), part.get("wins"), part.get("losses")):
        yield "" if count is None else number(count)
    gain, interval = part.get("gain"), part.get("interval")
    yield "" if gain is None else number(gain, sign=True)
    yield " to ".join(number(end, sign=True) for end in interval) if interval else ""
    for p in (part.get("p"), part.get("p_adjusted")):
        yield "" if p is None else format_p(p)
    yield part.get("verdict") or ""


def _chart(result: EvaluationResult) -> str | None:
    verdict, interval, gain = result.get("verdict"), result.get("interval"), result.get("gain")
    if not verdict or not interval or gain is None:
        return None
    return interval_chart(gain, interval[0], interval[1], verdict)


def _numbers(name: str, result: EvaluationResult) -> Iterator[tuple[str, str]]:
    for role, value in (("base", result.get("base")), ("tuned", result.get("tuned"))):
        if value is not None:
            yield role, number(value)
    if (gain := result.get("gain")) is not None:
        yield "gain", number(gain, sign=True)
    if interval := result.get("interval"):
        low, high = (number(end, sign=True) for end in interval)
        yield f"{result.get('confidence', 0.95) * 100:.0f} % interval", f"{low} to {high}"
    yield "rows", number(result.get("rows", 0))
    if result.get("evaluator", name) != name:
        yield "evaluator", result["evaluator"]
    if not result.get("higher_is_better", True):
        yield "better is", "lower"


def _gate(rule: GateRule) -> dict[str, str]:
    only_warns = rule.get("level") == "warn"
    tone = "good" if rule.get("met", False) else "plain" if only_warns else "bad"
    return {"text": gate_text(rule), "tone": tone}
