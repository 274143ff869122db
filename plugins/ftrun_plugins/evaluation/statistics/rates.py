"""Intervals and tests for scores that are 0 or 1.

Sources:
    Wilson, Probable inference, the law of succession, and statistical inference. JASA 22 (1927), 209-212.
    McNemar, Note on the sampling error of the difference between correlated proportions. Psychometrika 12 (1947),
        153-157; here in its exact form, a binomial test on the rows that differ.
    Tango, Equivalence test and confidence interval for the difference in proportions for the paired-sample design.
        Statistics in Medicine 17 (1998), 891-908.
    Fagerland, Lydersen and Laake, Recommended tests and confidence intervals for paired binomial proportions.
        Statistics in Medicine 33 (2014), 2850-2875; it compares these methods.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ftrun_plugins.evaluation.statistics.distributions import NORMAL, binomial_tail

Interval = tuple[float, float]
BISECTIONS = 60  # to the precision of a float


def wilson_interval(rate: float, rows: float, alpha: float) -> Interval:
    """Return the interval of a single rate. `rows` may be an effective number of rows."""
    z = NORMAL.inv_cdf(1 - alpha / 2)
    shrinkage = 1 + z * z / rows
    center = (rate + z * z / (2 * rows)) / shrinkage
    reach = z * math.sqrt(rate * (1 - rate) / rows + z * z / (4 * rows * rows)) / shrinkage
    return max(0.0, center - reach), min(1.0, center + reach)


def mcnemar_p(wins: int, losses: int) -> float:
    """Return the two-sided p-value of the exact test of McNemar. Rows on which the models agree do not matter."""
    return min(1.0, 2 * binomial_tail(max(wins, losses), wins + losses, 0.5))


def tango_interval(wins: int, losses: int, rows: int, alpha: float) -> Interval:
    """Return the score interval of the difference of two paired rates, `(wins - losses) / rows`."""
    z = NORMAL.inv_cdf(1 - alpha / 2)
    estimate = (wins - losses) / rows
    low = _solve(lambda difference: _tango_score(wins, losses, rows, difference) > z, -1.0, estimate)
    high = _solve(lambda difference: _tango_score(wins, losses, rows, difference) > -z, estimate, 1.0)
    return low, high


def _tango_score(wins: int, losses: int, rows: int, difference: float) -> float:
    """Return the score statistic for a difference. It falls while the difference grows."""
    # The rate of losses that is most likely if `difference` is true: the larger root of a x² + b x + c.
    a = 2 * rows
    b = -wins - losses + (2 * rows - wins + losses) * difference
    c = -losses * difference * (1 - difference)
    rate = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = rows * (2 * rate + difference * (1 - difference))
    excess = wins - losses - rows * difference
    if variance <= 0:
        return 0.0 if abs(excess) < 1e-12 else math.copysign(math.inf, excess)
    return excess / math.sqrt(variance)


def _solve(is_left: Callable[[float], bool], low: float, high: float) -> float:
    """Return the place between `low` and `high` where `is_left` changes from true to false."""
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_left(middle) else (low, middle)
    return (low + high) / 2
