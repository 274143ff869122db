"""Comparison of two models on the same rows: means, paired difference, and a bootstrap confidence interval.

The interval is the percentile bootstrap of the mean paired difference (Efron and Tibshirani, An Introduction to the
Bootstrap, 1993, chapter 13). Rows are drawn with replacement, with the scores of both models together.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
MOST_RESAMPLES = 10_000
FEWEST_RESAMPLES = 1_000
MOST_DRAWS = 5_000_000  # maximum number of rows drawn in total, to limit the time to a few seconds
SEED = 20_240_601


@dataclass(frozen=True)
class Comparison:
    """Scores of two models on the same rows. `gain` is positive if the tuned model is better."""

    rows: int
    base: float
    tuned: float
    gain: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Conclusion: there is a difference only if the confidence interval excludes zero."""
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "no difference seen"


def compare(base: Sequence[float], tuned: Sequence[float], higher_is_better: bool) -> Comparison:
    """Compare the scores of two models.

    Raises:
        ValueError: If the numbers of scores differ, or if there are no scores.
    """
    if len(base) != len(tuned) or not base:
        raise ValueError(f"{len(base)} and {len(tuned)} scores cannot be paired")
    sign = 1.0 if higher_is_better else -1.0
    differences = [sign * (after - before) for before, after in zip(base, tuned, strict=True)]
    low, high = interval(differences)
    return Comparison(len(base), mean(base), mean(tuned), mean(differences), low, high)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the confidence interval of the mean."""
    count = len(values)
    resamples = max(FEWEST_RESAMPLES, min(MOST_RESAMPLES, MOST_DRAWS // count))
    generator = random.Random(SEED)  # noqa: S311  (resampling needs no secure generator)
    means = sorted(sum(generator.choices(values, k=count)) / count for _ in range(resamples))
    tail = (1 - CONFIDENCE) / 2
    return means[int(resamples * tail)], means[min(resamples - 1, int(resamples * (1 - tail)))]


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
