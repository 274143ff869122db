"""Paired comparison of two models: means, gain, interval and verdict."""

from __future__ import annotations

import random
from statistics import NormalDist

import pytest

from ftrun_plugins.evaluation import paired_comparison
from ftrun_plugins.evaluation.paired_comparison import Comparison, compare, interval, mean


@pytest.mark.parametrize(
    ("base", "tuned", "higher_is_better", "gain", "verdict"),
    [
        ([0.0, 0.0], [1.0, 1.0], True, 1.0, "better"),
        ([0.0, 0.0], [1.0, 1.0], False, -1.0, "worse"),
        ([3.0, 2.0, 1.0], [1.0, 0.0, -1.0], False, 2.0, "better"),
        ([1.0, 1.0], [1.0, 1.0], True, 0.0, "no difference seen"),
        ([0.0, 1.0], [1.0, 0.0], True, 0.0, "no difference seen"),
        ([1.0], [0.0], True, -1.0, "worse"),
    ],
)
def test_gain_and_verdict(
    base: list[float], tuned: list[float], higher_is_better: bool, gain: float, verdict: str
) -> None:
    found = compare(base, tuned, higher_is_better)
    assert (found.rows, found.base, found.tuned) == (len(base), mean(base), mean(tuned))
    assert (found.gain, found.verdict) == (gain, verdict)
    assert found.low <= found.gain <= found.high


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.2, "better"),
        (0.0, 0.2, "no difference seen"),
        (-0.1, 0.1, "no difference seen"),
        (-0.2, 0.0, "no difference seen"),
        (-0.2, -0.1, "worse"),
    ],
)
def test_an_interval_that_reaches_zero_is_no_difference(low: float, high: float, verdict: str) -> None:
    assert Comparison(1, 0.0, 0.0, 0.0, low, high).verdict == verdict


@pytest.mark.parametrize(("base", "tuned"), [([], []), ([1.0], []), ([1.0], [1.0, 2.0])])
def test_rows_that_do_not_pair(base: list[float], tuned: list[float]) -> None:
    with pytest.raises(ValueError, match=f"{len(base)} and {len(tuned)} scores cannot be paired"):
        compare(base, tuned, True)


def test_the_interval_is_that_of_a_normal_mean() -> None:
    generator = random.Random(1)
    values = [generator.gauss(0.3, 1.0) for _ in range(400)]
    reach = NormalDist().inv_cdf(0.975) / 400**0.5
    low, high = interval(values)
    assert low == pytest.approx(mean(values) - reach, abs=0.02)
    assert high == pytest.approx(mean(values) + reach, abs=0.02)
    assert interval(values) == (low, high)  # the same values give the same interval


@pytest.mark.parametrize(("count", "resamples"), [(1, 10_000), (500, 10_000), (1_000, 5_000), (50_000, 1_000)])
def test_the_work_is_bounded(count: int, resamples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Generator:
        calls = 0

        def __init__(self, seed: int) -> None: ...

        def choices(self, values: list[float], k: int) -> list[float]:
            assert k == count
            Generator.calls += 1
            return [float(Generator.calls)]

    monkeypatch.setattr(paired_comparison.random, "Random", Generator)
    low, high = interval([0.0] * count)
    assert Generator.calls == resamples
    below, above = round(low * count), round(high * count)
    assert below - 1 == pytest.approx(resamples * 0.025, abs=1)
    assert resamples - above == pytest.approx(resamples * 0.025, abs=1)
