"""Interval and test for the mean of scores, or of differences of scores, also in clusters.

The unit is the cluster; a row without a cluster is a cluster of one row. The standard error is that of the jackknife
that leaves out one cluster at a time. The degrees of freedom follow from the effective number of clusters, which is
smaller than their number if their sizes differ. With clusters of one row this is the classical t interval.

The t interval is too short on one side if the scores are skewed. A transformation of the t statistic corrects this,
but is too short if many scores are tied. The interval is therefore the union of both, and the p-value is the larger of
both: a value is outside only if both methods exclude it. In simulations this interval covers the true mean at least as
often as the bootstrap-t interval, and it needs no random numbers. `benchmarks/bench_statistics.py` prints the coverage.

Sources:
    Bell and McCaffrey, Bias reduction in standard errors for linear regression with multi-stage samples. Survey
        Methodology 28 (2002), 169-181: the jackknife estimator of the variance in clusters (CR3).
    Kish, Survey Sampling (1965), section 8.2, and Carter, Schnepel and Steigerwald, Asymptotic behavior of a t-test
        robust to cluster heterogeneity. Review of Economics and Statistics 99 (2017), 698-709: the effective number.
    Hall, On the removal of skewness by transformation. JRSS B 54 (1992), 221-228: the transformation.
    Fisher, The Design of Experiments (1935), section 21: the test that flips signs.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from ftrun_plugins.evaluation.statistics.distributions import t_quantile, t_tail

MOST_FLIPPED = 12  # units; their signs have 4,096 combinations
ROUNDING = 1e-12  # relative; sums in another order differ by less


@dataclass(frozen=True)
class Estimate:
    """Estimate of a mean over rows. `skewness` is that of the cluster totals."""

    mean: float
    error: float  # standard error
    df: float  # degrees of freedom
    units: int
    skewness: float

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the union of the t interval and the interval of the transformed statistic."""
        t = t_quantile(1 - alpha / 2, self.df)
        upper, lower = max(t, self._invert(t)), min(-t, self._invert(-t))
        return self.mean - upper * self.error, self.mean - lower * self.error

    def p(self) -> float:
        """Return the two-sided p-value of a mean of zero. It is below alpha if the interval excludes zero."""
        t = self.mean / self.error
        return max(t_tail(t, self.df), t_tail(self._transform(t), self.df))

    @property
    def _bend(self) -> float:
        return self.skewness / (3 * math.sqrt(self.units))

    def _transform(self, t: float) -> float:
        bend = self._bend
        return t + bend * t * t + bend * bend * t**3 / 3 + bend / 2

    def _invert(self, value: float) -> float:
        """Return the t statistic whose transformed value is `value`."""
        bend = self._bend
        if abs(bend) < 1e-9:
            return value
        return (math.cbrt(1 + 3 * bend * (value - bend / 2)) - 1) / bend


def estimate_mean(values: Sequence[float], clusters: Sequence[Hashable] | None) -> Estimate | None:
    """Return the estimate of a mean, or None if the values do not vary or there are fewer than two units."""
    totals, sizes = cluster_totals(values, clusters)
    units, rows = len(totals), sum(sizes)
    if units < 2:
        return None
    mean = math.fsum(totals) / rows
    residuals = [total - size * mean for total, size in zip(totals, sizes, strict=True)]
    if max(map(abs, residuals)) <= ROUNDING * max(map(abs, (*values, 0.0))) * max(sizes):
        return None
    left_out = (residual / (1 - size / rows) for residual, size in zip(residuals, sizes, strict=True))
    error = math.sqrt((units - 1) / units * math.fsum(value * value for value in left_out)) / rows
    effective = rows * rows / sum(size * size for size in sizes)
    return Estimate(mean, error, max(1.0, effective - 1), units, _skewness(residuals))


def cluster_totals(values: Sequence[float], clusters: Sequence[Hashable] | None) -> tuple[list[float], list[int]]:
    """Return the sum and the number of values of each cluster, in the order of their first rows."""
    if clusters is None:
        return list(values), [1] * len(values)
    groups: dict[Hashable, list[float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        groups.setdefault(cluster, []).append(value)
    return [math.fsum(group) for group in groups.values()], [len(group) for group in groups.values()]


def sign_flip_p(totals: Sequence[float]) -> float:
    """Return the exact two-sided p-value of the test that flips the sign of each unit; 0 if too many units differ.

    It is exact if the models are interchangeable within a unit. Units without a difference do not matter. With few
    others, the distribution of the t statistic is far from its limit.
    """
    differing = [total for total in totals if total]
    if len(differing) > MOST_FLIPPED:
        return 0.0
    sums = [0.0]
    for total in differing:
        sums = [value + sign for value in sums for sign in (total, -total)]
    observed = abs(math.fsum(differing)) * (1 - ROUNDING)
    return sum(abs(value) >= observed for value in sums) / len(sums)


def _skewness(residuals: Sequence[float]) -> float:
    """Return the skewness, corrected for small samples."""
    n = len(residuals)
    if n < 3:
        return 0.0
    center = math.fsum(residuals) / n
    second = math.fsum((value - center) ** 2 for value in residuals) / n
    third = math.fsum((value - center) ** 3 for value in residuals) / n
    return third / second**1.5 * math.sqrt(n * (n - 1)) / (n - 2) if second > 0 else 0.0
