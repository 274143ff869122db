"""Details of an evaluation beside its numbers: p-values, method, clusters, power, and rows without a score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ftrun.report.number_format import number
from ftrun.store.run_record import GateRule

LOWEST_P = 0.001  # smaller p-values are not more convincing


def evaluation_details(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield short texts about the result of an evaluation or of a comparison."""
    if result.get("reason") and result.get("verdict"):
        yield f"no verdict: {result['reason']}"
    if (p := result.get("p")) is not None:
        yield _describe_p(p, result)
    if alone := result.get("verdict_alone"):
        yield f"{alone} without the correction for {result.get('comparisons')} comparisons"
    if result.get("verdict") == "no difference seen":
        yield _describe_power(result)
    if clusters := result.get("clusters"):
        yield f"{number(clusters)} clusters of rows"
    if without := result.get("without_overlap"):
        yield _describe_overlap(without)
    if unscored := result.get("unscored"):
        yield f"{number(unscored)} unscored rows are left out"
    for role, count in (result.get("cut") or {}).items():
        yield f"{number(count)} answers of the {role} model were cut at the maximum length"
    if result.get("method", "none") != "none":
        yield result["method"]


def gate_text(rule: GateRule) -> str:
    """Return one line about a rule of a gate: the limit, whether it is met, and the value or the reason."""
    met, value = rule.get("met", False), rule.get("value")
    ending = f", with {number(value)}" if value is not None else ""
    if not met and rule.get("detail"):
        ending = f": {rule['detail']}"
    state = "met" if met else "not met (warning)" if rule.get("level") == "warn" else "not met"
    return f"gate {rule.get('rule')} {rule.get('limit')}: {state}{ending}"


def _describe_overlap(without: Mapping[str, Any]) -> str:
    """Return the result without the held-out rows that training rows repeat."""
    values = [f"{role} {number(without[role])}" for role in ("base", "tuned") if without.get(role) is not None]
    if (gain := without.get("gain")) is not None:
        values.append(f"gain {number(gain, sign=True)}")
    if verdict := without.get("verdict"):
        values.append(verdict)
    what = f"without {number(without.get('overlap', 0))} rows that training rows repeat"
    return f"{what}: {', '.join(values) or 'no rows'}"


def _describe_p(p: float, result: Mapping[str, Any]) -> str:
    adjusted = result.get("p_adjusted")
    if adjusted is None or result.get("comparisons", 1) < 2:
        return f"p {format_p(p)}"
    return f"p {format_p(p)}, adjusted {format_p(adjusted)}"


def _describe_power(result: Mapping[str, Any]) -> str:
    detectable = result.get("detectable_gain")
    if detectable is None:
        return "too few rows to find any difference with 80 % probability"
    return f"a difference of {number(detectable)} would be found with 80 % probability"


def format_p(p: float) -> str:
    """Format a p-value with two digits."""
    return f"< {LOWEST_P}" if p < LOWEST_P else f"{p:.2g}"
