"""Comparison of the scores of two models on the same rows."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

from ftrun_plugins.evaluation.statistics.means import cluster_totals, estimate_mean, sign_flip_p
from ftrun_plugins.evaluation.statistics.power import detectable_mean, detectable_rate
from ftrun_plugins.evaluation.statistics.rates import Interval, mcnemar_p, tango_interval, wilson_interval

Kind = Literal["auto", "binary", "continuous"]
Verdict = Literal["better", "worse", "no difference seen", "no verdict"]

ALPHA = 0.05
EQUAL = "the difference is the same in every row"
FEWEST_UNITS = 20  # rows, or clusters; with fewer, the result depends on single rows


@dataclass(frozen=True)
class Comparison:
    """Result of a comparison. `difference` and its interval are positive if the tuned model is better.

    `p` is below `alpha` if and only if the interval excludes zero. A value that cannot be computed is None.
    """

    n: int
    n_clusters: int | None  # None if each row is on its own
    base: float
    tuned: float
    difference: float
    interval: Interval | None
    p: float | None
    method: str
    detectable: float | None  # smallest difference found with a probability of 80 %
    reason: str | None = None  # why there is no verdict
    alpha: float = ALPHA

    @property
    def verdict(self) -> Verdict:
        return self.conclude(self.p)

    def conclude(self, p: float | None) -> Verdict:
        """Return the conclusion from a p-value, such as one that is corrected for several comparisons."""
        if self.reason is not None or p is None:
            return "no verdict"
        if p >= self.alpha:
            return "no difference seen"
        return "better" if self.difference > 0 else "worse"


@dataclass(frozen=True)
class _Test:
    """Interval and p-value before they are made consistent."""

    method: str
    interval: Interval
    p: float
    detectable: float | None


def compare_paired(
    base: Sequence[float],
    tuned: Sequence[float],
    *,
    clusters: Sequence[Hashable] | None = None,
    kind: Kind = "auto",
    alpha: float = ALPHA,
    higher_is_better: bool = True,
) -> Comparison:
    """Compare the scores of two models on the same rows.

    Args:
        base: Scores of the base model.
        tuned: Scores of the tuned model, in the same order.
        clusters: Cluster of each row. Rows that belong together, such as questions on one document, have the same one.
        kind: `binary` if all scores are 0 or 1. `auto` looks at the scores.
        alpha: 0.05 for intervals of 95 %.
        higher_is_better: False for losses.

    Raises:
        ValueError: If the numbers of scores differ, there are no scores, or binary scores are not 0 or 1.
    """
    if len(base) != len(tuned) or not base or (clusters is not None and len(clusters) != len(base)):
        raise ValueError(f"{len(base)} and {len(tuned)} scores cannot be paired")
    if kind == "binary" and not is_binary((*base, *tuned)):
        raise ValueError("binary scores are 0 or 1")
    units = None if clusters is None else len(set(clusters))
    if units == len(base):
        clusters = units = None
    sign = 1.0 if higher_is_better else -1.0
    differences = [sign * (after - before) for before, after in zip(base, tuned, strict=True)]
    means = mean(base), mean(tuned), mean(differences)
    if not all(map(math.isfinite, differences)):
        return Comparison(len(base), units, *means, None, None, "none", None, "a score is not a finite number", alpha)
    test = _test(differences, (*base, *tuned), clusters, kind, alpha)
    if test is None:
        single = (units or len(base)) < 2
        reason = f"there is only one {'cluster' if clusters else 'row'}" if single else EQUAL
        return Comparison(len(base), units, *means, None, None, "none", None, reason, alpha)
    low, high = test.interval
    if test.p >= alpha:  # the interval holds all differences that are not excluded by all tests
        low, high = min(low, 0.0), max(high, 0.0)
    few = (units or len(base)) < FEWEST_UNITS
    too_few = f"fewer than {FEWEST_UNITS} {'clusters' if units else 'rows'}" if few else None
    return Comparison(len(base), units, *means, (low, high), test.p, test.method, test.detectable, too_few, alpha)


def _test(
    differences: Sequence[float],
    scores: Sequence[float],
    clusters: Sequence[Hashable] | None,
    kind: Kind,
    alpha: float,
) -> _Test | None:
    totals, _ = cluster_totals(differences, clusters)
    binary = kind == "binary" or (kind == "auto" and is_binary(scores))
    bounded = all(0 <= score <= 1 for score in scores)
    if (binary and clusters is None) or (bounded and len(totals) > 1 and not any(differences)):
        wins, losses = sum(total > 0 for total in totals), sum(total < 0 for total in totals)
        interval = tango_interval(wins, losses, len(totals), alpha)
        detectable = detectable_rate(wins + losses, len(totals), alpha)
        return _Test("exact McNemar test, score interval by Tango", interval, mcnemar_p(wins, losses), detectable)
    estimate = estimate_mean(differences, clusters)
    if estimate is None:
        return None
    p = max(estimate.p(), sign_flip_p(totals))
    method = "t test of cluster means, corrected for skewness" if clusters else "paired t test, corrected for skewness"
    return _Test(method, estimate.interval(alpha), p, detectable_mean(estimate, alpha))


def mean_interval(
    values: Sequence[float], clusters: Sequence[Hashable] | None = None, alpha: float = ALPHA
) -> Interval | None:
    """Return the interval of the mean score of one model; None if it cannot be computed.

    Rates have an interval by Wilson; with clusters, of the number of rows that has the same standard error.
    """
    if not values or not all(map(math.isfinite, values)):
        return None
    estimate = estimate_mean(values, clusters)
    if not is_binary(values):
        return None if estimate is None else estimate.interval(alpha)
    rate = mean(values)
    if clusters is None:
        return wilson_interval(rate, len(values), alpha)
    units = len(set(clusters))
    rows = units if estimate is None else min(len(values), max(1.0, rate * (1 - rate) / estimate.error**2))
    return wilson_interval(rate, rows, alpha)


def is_binary(scores: Sequence[float]) -> bool:
    return all(score in (0.0, 1.0) for score in scores)


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
