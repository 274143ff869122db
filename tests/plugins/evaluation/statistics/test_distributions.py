"""Distributions against published tables and exact sums."""

from __future__ import annotations

import math

import pytest

from ftrun_plugins.evaluation.statistics.correction import adjust_p_values
from ftrun_plugins.evaluation.statistics.distributions import binomial_tail, t_quantile, t_tail
from ftrun_plugins.evaluation.statistics.rates import tango_interval, wilson_interval


@pytest.mark.parametrize(
    ("df", "quantile"), [(1, 12.7062), (2, 4.3027), (5, 2.5706), (19, 2.0930), (99, 1.9842), (1e6, 1.95997)]
)
def test_quantiles_of_t(df: float, quantile: float) -> None:
    assert t_quantile(0.975, df) == pytest.approx(quantile, abs=6e-5)
    assert t_tail(quantile, df) == pytest.approx(0.05, abs=1e-5)
    assert t_tail(-quantile, df) == t_tail(quantile, df)


def test_the_tail_of_t_with_one_degree_of_freedom_is_that_of_cauchy() -> None:
    for t in (0.0, 0.1, 1.0, 30.0):
        assert t_tail(t, 1) == pytest.approx(1 - 2 * math.atan(t) / math.pi)
    assert t_tail(math.inf, 3) == 0.0


@pytest.mark.parametrize(("trials", "probability"), [(1, 0.5), (7, 0.3), (60, 0.9)])
def test_binomial_tails(trials: int, probability: float) -> None:
    for successes in range(trials + 2):
        terms = (
            math.comb(trials, count) * probability**count * (1 - probability) ** (trials - count)
            for count in range(successes, trials + 1)
        )
        assert binomial_tail(successes, trials, probability) == pytest.approx(sum(terms), abs=1e-12)


def test_large_binomial_tails() -> None:
    assert binomial_tail(50_000, 100_000, 0.5) == pytest.approx(0.5, abs=2e-3)
    assert binomial_tail(51_000, 100_000, 0.5) == pytest.approx(1.3e-10, rel=0.1)


def test_wilson() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 857-872, table I."""
    assert wilson_interval(81 / 263, 263, 0.05) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson_interval(0.0, 20, 0.05) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson_interval(1.0, 29, 0.05) == pytest.approx((0.8830, 1.0), abs=1e-4)


def test_tango_solves_the_score_equation() -> None:
    """Without differing rows the equation has a closed solution: z² / (n + z²)."""
    z2 = 3.841459
    assert tango_interval(0, 0, 100, 0.05) == pytest.approx((-z2 / (100 + z2), z2 / (100 + z2)), abs=1e-6)
    low, high = tango_interval(14, 0, 14, 0.05)
    assert (high, low) == (pytest.approx(1.0), pytest.approx((14 - z2) / (14 + z2), abs=1e-6))


def test_holm() -> None:
    """Each p-value is multiplied by the number of those that are not smaller, and never falls below a smaller one's."""
    assert adjust_p_values({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    )
    assert adjust_p_values({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert adjust_p_values({}) == {}
    assert adjust_p_values({"a": 0.02}) == {"a": 0.02}
