"""Agreement of two raters beyond chance: Cohen's kappa with its 95 % interval.

Kappa is that of J. Cohen, A Coefficient of Agreement for Nominal Scales (1960). The interval uses the large-sample
standard error of J. Fleiss, J. Cohen and B. Everitt, Large Sample Standard Errors of Kappa and Weighted Kappa (1969).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.959964  # 97.5 % quantile of the normal distribution


@dataclass(frozen=True)
class Agreement:
    """Agreement of two raters.

    Args:
        count: The number of rated items.
        observed: The share of items with the same rating.
        kappa: Cohen's kappa. None if both raters gave the same rating to all items, which chance explains.
        interval: The 95 % interval of kappa.
    """

    count: int
    observed: float
    kappa: float | None
    interval: tuple[float, float] | None


def measure_agreement(ratings: Sequence[tuple[str, str]]) -> Agreement:
    """Return the agreement of two raters. Each item of `ratings` has the rating of each rater.

    Raises:
        ValueError: If there are no ratings.
    """
    if not ratings:
        raise ValueError("there are no ratings")
    count = len(ratings)
    shares = {pair: number / count for pair, number in Counter(ratings).items()}
    first, second = defaultdict[str, float](float), defaultdict[str, float](float)
    for (one, other), share in shares.items():
        first[one] += share
        second[other] += share
    observed = sum(share for (one, other), share in shares.items() if one == other)
    expected = sum(share * second[rating] for rating, share in first.items())
    if math.isclose(expected, 1):
        return Agreement(count, observed, None, None)
    kappa = (observed - expected) / (1 - expected)
    same = sum(
        share * (1 - (first[one] + second[one]) * (1 - kappa)) ** 2
        for (one, other), share in shares.items()
        if one == other
    )
    different = sum(share * (second[one] + first[other]) ** 2 for (one, other), share in shares.items() if one != other)
    variance = same + (1 - kappa) ** 2 * different - (kappa - expected * (1 - kappa)) ** 2
    width = Z * math.sqrt(max(0.0, variance) / count) / (1 - expected)
    return Agreement(count, observed, kappa, (max(-1.0, kappa - width), min(1.0, kappa + width)))
