"""Smallest difference that a comparison is likely to find.

Sources:
    Miettinen, The matched pairs design in the case of all-or-none responses. Biometrics 24 (1968), 339-352.
    Card and others, With little power comes great responsibility. EMNLP 2020, 9263-9274.
"""

from __future__ import annotations

import math
from functools import cache

from ftrun_plugins.evaluation.statistics.distributions import binomial_probability, binomial_tail, t_quantile
from ftrun_plugins.evaluation.statistics.means import Estimate

POWER = 0.8
BISECTIONS = 12  # to a precision of 1 / 4096
MOST_NUMBERS = 40  # numbers of differing rows that are computed


def detectable_mean(estimate: Estimate, alpha: float, power: float = POWER) -> float:
    """Return the smallest difference of means that a t test finds with probability `power`."""
    return (t_quantile(1 - alpha / 2, estimate.df) + t_quantile(power, estimate.df)) * estimate.error


def detectable_rate(differing: int, rows: int, alpha: float, power: float = POWER) -> float | None:
    """Return the smallest difference of rates that the exact test of McNemar finds with probability `power`.

    The share of rows on which the models differ is assumed to be the observed one, or the difference if that is larger.
    None if these rows cannot show any difference.
    """
    if _power(1.0, differing, rows, alpha) < power:
        return None
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _power(middle, differing, rows, alpha) < power else (low, middle)
    return high


def _power(difference: float, differing: int, rows: int, alpha: float) -> float:
    """Return the probability of a p-value below alpha: the mean over the numbers of rows on which the models differ."""
    share = max(difference, differing / rows)
    reach = 4 * math.sqrt(rows * share * (1 - share))
    first, last = max(0, math.floor(rows * share - reach)), min(rows, math.ceil(rows * share + reach))
    step = max(1, (last - first) // MOST_NUMBERS)
    total = power = 0.0
    for pairs in range(first, last + 1, step):
        weight = binomial_probability(pairs, rows, share)
        wins = _critical_wins(pairs, alpha)
        total += weight
        power += weight * (0.0 if wins is None else binomial_tail(wins, pairs, (1 + difference / share) / 2))
    return power / total


@cache
def _critical_wins(pairs: int, alpha: float) -> int | None:
    """Return the smallest number of wins among `pairs` differing rows with a p-value below alpha."""
    low, high = pairs // 2, pairs + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if 2 * binomial_tail(middle, pairs, 0.5) < alpha else (middle, high)
    return high if high <= pairs else None
