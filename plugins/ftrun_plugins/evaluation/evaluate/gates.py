"""Gates: thresholds on the result of an evaluation.

A gate asks whether the data show that a requirement is met. Therefore it looks at the end of the 95 % interval on the
side of the threshold, which is a one-sided test at 2.5 %. All gates must be met, so they need no correction for several
tests (Berger, Multiparameter hypothesis testing and acceptance sampling. Technometrics 24 (1982), 295-300).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ftrun.api.recipe import Gate
from ftrun.api.serving_spec import TUNED

INTERVALS = {TUNED: "tuned_interval", "gain": "interval"}
RULES = (  # name, whether the low end of the interval counts, of what, and the condition
    ("min", True, TUNED, "at least"),
    ("max", False, TUNED, "at most"),
    ("min_gain_over_base", True, "gain", "a gain of at least"),
    ("max_loss_vs_base", True, "gain", "a loss of at most"),
)


@dataclass(frozen=True)
class Rule:
    """Rule of a gate with its result. `value` is None if there is nothing to compare with the limit."""

    name: str
    limit: float
    value: float | None
    met: bool
    detail: str


def check_gate(gate: Gate, result: Mapping[str, Any]) -> Iterator[Rule]:
    """Yield the result of each rule that a gate sets, and of `max_unscored` if there are unscored rows."""
    for name, is_minimum, side, condition in RULES:
        limit = getattr(gate, name)
        if limit is None:
            continue
        value = _find_value(result, side, is_minimum, gate.confidence)
        if name == "max_loss_vs_base" and value is not None:
            value = 0.0 - value  # not `-value`, which can be -0.0
        met = value is not None and (value >= limit if name.startswith("min") else value <= limit)
        yield Rule(name, limit, value, met, _describe(value, f"{condition} {limit}", gate.confidence, result))
    if unscored := result.get("unscored", 0):
        share = round(unscored / (unscored + result["rows"]), 6)
        detail = f"{share:g} of the rows are unscored, required: at most {gate.max_unscored}"
        yield Rule("max_unscored", gate.max_unscored, share, share <= gate.max_unscored, detail)


def _find_value(result: Mapping[str, Any], side: str, is_minimum: bool, confidence: bool) -> float | None:
    """Return the score or gain, or with `confidence` the end of its interval that is nearer to the threshold."""
    if TUNED not in result:
        return None
    if not confidence:
        return result.get(side)
    interval = result.get(INTERVALS[side])
    return None if interval is None else interval[0 if is_minimum else 1]


def _describe(value: float | None, condition: str, confidence: bool, result: Mapping[str, Any]) -> str:
    if TUNED not in result:
        return f"there is no tuned model, required: {condition}"
    if value is None and confidence:
        return f"these rows give no interval, required: {condition}; `confidence: false` compares the mean instead"
    if value is None:
        return f"there is no base model to compare with, required: {condition}"
    return f"{'the 95 % interval reaches ' if confidence else ''}{value}, required: {condition}"
