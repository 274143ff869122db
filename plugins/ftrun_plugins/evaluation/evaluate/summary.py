"""Result of one evaluation as JSON values, and the correction of verdicts for several evaluations."""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from ftrun.api.serving_spec import BASE, TUNED
from ftrun_plugins.evaluation.statistics.comparison import ALPHA, Comparison, compare_paired, mean, mean_interval
from ftrun_plugins.evaluation.statistics.correction import adjust_p_values

Row = Mapping[str, Any]
Result = dict[str, Any]
ROLES = (BASE, TUNED)
DIGITS = 6


def is_scored(row: Row) -> bool:
    """Return whether all models have a score in a row."""
    return all(row[role]["score"] is not None for role in ROLES if role in row)


def summarize(
    rows: Sequence[Row], meaning: Mapping[str, Any], clusters: Mapping[int, str], alpha: float = ALPHA
) -> Result:
    """Return the result of an evaluation. Rows without the score of a model are counted and left out.

    Args:
        rows: Rows of the stage `score`.
        meaning: Description of the scores.
        clusters: Cluster of each row by its index; empty if each row is on its own.
        alpha: 0.05 for intervals of 95 %.
    """
    scored = [row for row in rows if is_scored(row)]
    result: Result = {**meaning, "rows": len(scored)}
    if len(scored) < len(rows):
        result["unscored"] = len(rows) - len(scored)
    roles = [role for role in ROLES if rows and role in rows[0]]
    if cut := {role: count for role in roles if (count := sum(row[role].get("cut", False) for row in rows))}:
        result["cut"] = cut
    if not scored:
        return result
    values = {role: [float(row[role]["score"]) for row in scored] for role in roles}
    groups = [clusters[row["index"]] for row in scored] if clusters else None
    if len(roles) == 2:
        comparison = compare_paired(
            values[BASE],
            values[TUNED],
            clusters=groups,
            alpha=alpha,
            higher_is_better=meaning["higher_is_better"],
        )
        result |= describe(comparison)
    result |= {role: _round(mean(scores)) for role, scores in values.items()}
    return result | {
        f"{role}_interval": _round_all(mean_interval(scores, groups, alpha)) for role, scores in values.items()
    }


def describe(comparison: Comparison) -> Result:
    """Return a comparison as JSON values. None stands for what cannot be computed."""
    result: Result = {
        "gain": _round(comparison.difference),
        "interval": _round_all(comparison.interval),
        "confidence": round(1 - comparison.alpha, DIGITS),
        "p": _round_p(comparison.p),
        "method": comparison.method,
        "verdict": comparison.verdict,
        "detectable_gain": None if comparison.detectable is None else _round(comparison.detectable),
    }
    if comparison.n_clusters is not None:
        result["clusters"] = comparison.n_clusters
    if comparison.reason is not None:
        result["reason"] = comparison.reason
    return result


def adjust_verdicts(results: Mapping[str, MutableMapping[str, Any]]) -> None:
    """Add the p-values adjusted for several comparisons by Holm's method, and take the verdicts from them.

    Comparisons without a verdict count too: they were looked at.
    """
    values = {name: result["p"] for name, result in results.items() if result.get("p") is not None}
    for name, p in adjust_p_values(values).items():
        result = results[name]
        result["p_adjusted"], result["comparisons"] = _round_p(p), len(values)
        if result["verdict"] in ("better", "worse") and p >= ALPHA:
            result["verdict"], result["verdict_alone"] = "no difference seen", result["verdict"]


def _round(value: float) -> float | None:
    return round(value, DIGITS) if math.isfinite(value) else None


def _round_p(p: float | None) -> float | None:
    """Return a p-value with four digits, which keep it on its side of the level."""
    return None if p is None else float(f"{p:.4g}")


def _round_all(interval: tuple[float, float] | None) -> list[float | None] | None:
    return None if interval is None else [_round(end) for end in interval]
