"""Section on evaluations: means of both models, the gain with its interval, and the gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ftrun.report.charts import interval_chart
from ftrun.report.number_format import number
from ftrun.report.run_data import RunData

VERDICTS = ("better", "worse", "no difference seen")


def evaluation(run: RunData) -> dict[str, Any] | None:
    results = run.evaluation
    if not results:
        return None
    return {
        "has_gain": any("gain" in result for result in results.values()),
        "cards": [_card(name, result) for name, result in results.items()],
    }


def conclusion(results: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return one sentence that summarizes all evaluations, or None if there are none."""
    verdicts = Counter(result["verdict"] for result in results.values() if "verdict" in result)
    if not verdicts:
        return "Only one model was evaluated, so there is no comparison." if results else None
    count = sum(verdicts.values())
    parts = [f"{verdict} in {verdicts[verdict]} of {count}" for verdict in VERDICTS if verdict in verdicts]
    return f"The tuned model compared with the base model: {', '.join(parts)} evaluation{'s' if count > 1 else ''}."


def _card(name: str, result: Mapping[str, Any]) -> dict[str, Any]:
    verdict, interval = result.get("verdict"), result.get("interval")
    return {
        "name": name,
        "verdict": verdict,
        "tone": {"better": "good", "worse": "bad"}.get(verdict or "", "plain"),
        "chart": interval_chart(result["gain"], interval[0], interval[1], verdict) if verdict and interval else None,
        "facts": list(_numbers(name, result)),
        "gates": [_gate(rule) for rule in result.get("gate", ())],
    }


def _numbers(name: str, result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for role in ("base", "tuned"):
        if role in result:
            yield role, number(float(result[role]))
    if "gain" in result:
        yield "gain", number(float(result["gain"]), sign=True)
    if "interval" in result:
        low, high = (number(float(end), sign=True) for end in result["interval"])
        yield f"{result.get('confidence', 0.95) * 100:.0f} % interval", f"{low} to {high}"
    yield "rows", number(result["rows"])
    if result.get("evaluator", name) != name:
        yield "evaluator", result["evaluator"]
    if not result.get("higher_is_better", True):
        yield "better is", "lower"


def _gate(rule: Mapping[str, Any]) -> dict[str, str]:
    met = bool(rule["met"])
    text = f"gate {rule['rule']} {rule['limit']}: {'met' if met else 'not met'}, with {number(float(rule['value']))}"
    return {"text": text, "tone": "good" if met else "bad"}
