"""Student's t distribution and the binomial distribution, which Python's `statistics` lacks."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

NORMAL = NormalDist()
NEGLIGIBLE = 1e-17  # a term that is this much smaller than its sum does not change it
FRACTION_STEPS = 500
BISECTIONS = 200  # maximum; bisections end when the two ends are neighbours


def t_tail(t: float, df: float) -> float:
    """Return P(|T| >= |t|) for Student's t distribution with `df` degrees of freedom."""
    if math.isinf(t):
        return 0.0
    return _incomplete_beta(df / 2, 0.5, df / (df + t * t)) if t else 1.0


@lru_cache(maxsize=1024)
def t_quantile(probability: float, df: float) -> float:
    """Return the quantile of Student's t distribution for a probability of at least one half."""
    tail = 2 * (1 - probability)
    low, high = 0.0, 2.0
    while t_tail(high, df) > tail:
        low, high = high, high * 2
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_tail(middle, df) > tail else (low, middle)
    return high


def binomial_tail(successes: int, trials: int, probability: float) -> float:
    """Return P(X >= successes) for a binomial X."""
    if successes <= 0 or probability >= 1:
        return 1.0 if successes <= trials else 0.0
    if successes > trials or probability <= 0:
        return 0.0
    if successes <= trials * probability:  # the other tail is short
        return 1.0 - binomial_tail(trials - successes + 1, trials, 1 - probability)
    term = binomial_probability(successes, trials, probability)
    total, odds = 0.0, probability / (1 - probability)
    for count in range(successes, trials + 1):
        total += term
        term *= (trials - count) / (count + 1) * odds
        if term < total * NEGLIGIBLE:
            break
    return min(1.0, total)


def binomial_probability(successes: int, trials: int, probability: float) -> float:
    """Return P(X = successes) for a binomial X."""
    if probability <= 0 or probability >= 1:
        return float(successes == trials * (probability >= 1))
    return math.exp(
        math.lgamma(trials + 1)
        - math.lgamma(successes + 1)
        - math.lgamma(trials - successes + 1)
        + successes * math.log(probability)
        + (trials - successes) * math.log1p(-probability)
    )


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularized incomplete beta function by its continued fraction.

    Source: DLMF 8.17.22, evaluated by Lentz's method.
    """
    if x <= 0 or x >= 1:
        return min(1.0, max(0.0, x))
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _incomplete_beta(b, a, 1 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    tiny = 1e-300
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1) or tiny)
    value = d
    for m in range(1, FRACTION_STEPS):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / (1.0 + numerator * d or tiny)
            c = 1.0 + numerator / c or tiny
            value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return math.exp(log_front) * value / a
