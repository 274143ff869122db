"""Section on evaluations: means of both models, the gain with its interval, and the gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ftrun.report.charts import interval_chart
from ftrun.report.html import Html, element, facts
from ftrun.report.number_format import number
from ftrun.report.run_data import RunData

VERDICTS = ("better", "worse", "no difference seen")
NOTE = (
    "A gain is positive if the tuned model is better. Its interval is that of the mean difference over the same "
    "held-out rows. If the interval includes zero, no difference was seen. Each chart has its own scale."
)


def evaluation(run: RunData) -> Iterator[Html]:
    results = run.evaluation
    if any("gain" in result for result in results.values()):
        yield element("p", NOTE, class_="note")
    if results:
        yield element("div", (_card(name, result) for name, result in results.items()), class_="cards")


def conclusion(results: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return one sentence that summarizes all evaluations, or None if there are none."""
    verdicts = Counter(result["verdict"] for result in results.values() if "verdict" in result)
    if not verdicts:
        return "Only one model was evaluated, so there is no comparison." if results else None
    count = sum(verdicts.values())
    parts = [f"{verdict} in {verdicts[verdict]} of {count}" for verdict in VERDICTS if verdict in verdicts]
    return f"The tuned model compared with the base model: {', '.join(parts)} evaluation{'s' if count > 1 else ''}."


def _card(name: str, result: Mapping[str, Any]) -> Html:
    verdict, interval = result.get("verdict"), result.get("interval")
    badge = element("span", verdict, class_=f"badge {_class(verdict)}") if verdict else None
    chart = interval_chart(result["gain"], interval[0], interval[1], verdict) if verdict and interval else None
    return element(
        "article",
        element("h3", name, " ", badge),
        chart,
        facts(_numbers(name, result)),
        (_gate(rule) for rule in result.get("gate", ())),
        class_=f"card {_class(verdict)}",
    )


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


def _gate(rule: Mapping[str, Any]) -> Html:
    met = bool(rule["met"])
    text = f"gate {rule['rule']} {rule['limit']}: {'met' if met else 'not met'}, with {number(float(rule['value']))}"
    return element("p", text, class_=f"gate {'good' if met else 'bad'}")


def _class(verdict: str | None) -> str:
    return {"better": "good", "worse": "bad"}.get(verdict or "", "plain")
