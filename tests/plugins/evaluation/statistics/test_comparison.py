"""Comparison of two models: verdicts, intervals, clusters, and what a comparison can show."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftrun_plugins.evaluation.statistics.comparison import Comparison, compare_paired, mean_interval
from ftrun_plugins.evaluation.statistics.rates import mcnemar_p

BINARY = st.sampled_from([0.0, 1.0])
GRADED = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
REAL = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
PAIRS = st.one_of(*(st.lists(st.tuples(score, score), min_size=1, max_size=60) for score in (BINARY, GRADED, REAL)))


def outcomes(wins: int, losses: int, ties: int, step: float = 1.0) -> Comparison:
    pairs = [(0.0, step)] * wins + [(step, 0.0)] * losses + [(0.0, 0.0)] * ties
    return compare_paired([base for base, _ in pairs], [tuned for _, tuned in pairs])


@pytest.mark.parametrize("step", [1.0, 0.5])
def test_a_few_rows_that_flip_are_no_difference(step: float) -> None:
    one = outcomes(1, 0, 0, step)
    assert one.verdict == "no verdict"
    four = outcomes(4, 0, 26, step)
    assert (four.verdict, four.p) == ("no difference seen", pytest.approx(0.125))
    assert four.interval is not None
    assert four.interval[0] <= 0
    assert outcomes(8, 0, 22, step).verdict == "better"
    assert outcomes(0, 8, 22, step).verdict == "worse"


@pytest.mark.parametrize(("rows", "verdict"), [(19, "no verdict"), (20, "better")])
def test_no_verdict_below_twenty_rows(rows: int, verdict: str) -> None:
    found = outcomes(rows, 0, 0)
    assert (found.n, found.verdict, found.reason is None) == (rows, verdict, rows >= 20)
    assert found.interval is not None


def test_no_verdict_below_twenty_clusters() -> None:
    clusters = [row % 19 for row in range(190)]
    found = compare_paired([0.0] * 190, [row % 7 + 1.0 for row in range(190)], clusters=clusters)
    assert (found.verdict, found.n, found.n_clusters) == ("no verdict", 190, 19)


def test_no_verdict_on_an_interval_of_no_width() -> None:
    found = compare_paired([2.0] * 50, [3.0] * 50)
    assert (found.verdict, found.interval, found.p) == ("no verdict", None, None)
    assert found.reason == "the difference is the same in every row"


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_no_verdict_on_a_score_that_is_not_finite(score: float) -> None:
    found = compare_paired([1.0] * 30, [*([2.0] * 29), score])
    assert (found.verdict, found.interval, found.p) == ("no verdict", None, None)


@pytest.mark.parametrize("score", [0.0, 0.4])
@pytest.mark.parametrize("clusters", [None, [row // 2 for row in range(200)]])
def test_equal_answers_have_an_interval(score: float, clusters: list[int] | None) -> None:
    """Models that agree on 100 rows can differ on a few of the next 100."""
    found = compare_paired([score] * 200, [score] * 200, clusters=clusters)
    assert (found.verdict, found.p) == ("no difference seen", 1.0)
    low, high = found.interval or (0, 0)
    units = 100 if clusters else 200
    assert (low, high) == (pytest.approx(-3.841 / (units + 3.841), abs=1e-3), pytest.approx(-low))


@given(PAIRS)
@settings(deadline=None)
def test_a_swap_of_the_models_reverses_the_result(pairs: Sequence[tuple[float, float]]) -> None:
    base, tuned = zip(*pairs, strict=True)
    one, other = compare_paired(base, tuned), compare_paired(tuned, base)
    opposite = {"better": "worse", "worse": "better"}
    assert other.verdict == opposite.get(one.verdict, one.verdict)
    assert other.p == (None if one.p is None else pytest.approx(one.p, abs=1e-9))
    if one.interval and other.interval:
        tolerance = 1e-9 * max(1.0, *map(abs, one.interval))
        assert other.interval == (
            pytest.approx(-one.interval[1], abs=tolerance),
            pytest.approx(-one.interval[0], abs=tolerance),
        )


@given(PAIRS, st.randoms())
@settings(deadline=None)
def test_the_order_of_the_rows_does_not_matter(pairs: list[tuple[float, float]], generator: random.Random) -> None:
    clusters = [index % 5 for index in range(len(pairs))]
    rows = list(zip(pairs, clusters, strict=True))
    shuffled = generator.sample(rows, len(rows))
    for with_clusters in (False, True):
        one, other = (
            compare_paired(
                [base for (base, _), _ in some],
                [tuned for (_, tuned), _ in some],
                clusters=[cluster for _, cluster in some] if with_clusters else None,
            )
            for some in (rows, shuffled)
        )
        assert (one.verdict, one.method) == (other.verdict, other.method)
        assert one.p == (None if other.p is None else pytest.approx(other.p, rel=1e-6, abs=1e-9))


@given(PAIRS)
@settings(deadline=None)
def test_interval_p_value_and_verdict_agree(pairs: Sequence[tuple[float, float]]) -> None:
    base, tuned = zip(*pairs, strict=True)
    found = compare_paired(base, tuned)
    if found.interval is None or found.p is None:
        assert found.verdict == "no verdict"
        return
    low, high = found.interval
    width = 1e-9 * max(1.0, abs(low), abs(high))
    assert low - width <= found.difference <= high + width
    assert 0 <= found.p <= 1
    assert (found.p < 0.05) == (low > 0 or high < 0)
    if found.verdict in ("better", "worse"):
        assert (low > 0) == (found.verdict == "better")


@given(PAIRS)
@settings(deadline=None)
def test_higher_is_better_only_changes_signs(pairs: Sequence[tuple[float, float]]) -> None:
    base, tuned = zip(*pairs, strict=True)
    loss = compare_paired(base, tuned, higher_is_better=False)
    assert (loss.base, loss.tuned) == (compare_paired(base, tuned).base, compare_paired(base, tuned).tuned)
    assert loss.difference == pytest.approx(compare_paired(tuned, base).difference)
    assert loss.verdict == compare_paired(tuned, base).verdict


def test_clusters_of_one_row_are_rows() -> None:
    base, tuned = [0.0, 1.0] * 15, [1.0] * 30
    assert compare_paired(base, tuned, clusters=list(range(30))) == compare_paired(base, tuned)


def test_copies_of_rows_add_no_evidence() -> None:
    generator = random.Random(3)
    base = [generator.gauss(0, 1) for _ in range(40)]
    tuned = [score + generator.gauss(0.1, 1) for score in base]
    once = compare_paired(base, tuned)
    copied = compare_paired(base * 5, tuned * 5, clusters=list(range(40)) * 5)
    assert copied.p == pytest.approx(once.p)
    assert copied.interval == pytest.approx(once.interval)
    assert (copied.n, copied.n_clusters) == (200, 40)


@pytest.mark.parametrize(
    ("base", "tuned", "clusters"), [([], [], None), ([1.0], [], None), ([1.0], [1.0, 2.0], None), ([1.0], [1.0], [])]
)
def test_rows_that_do_not_pair(base: list[float], tuned: list[float], clusters: list[int] | None) -> None:
    with pytest.raises(ValueError, match="cannot be paired"):
        compare_paired(base, tuned, clusters=clusters)


def test_binary_scores_are_checked() -> None:
    with pytest.raises(ValueError, match="0 or 1"):
        compare_paired([0.5], [1.0], kind="binary")


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (0, 1), (3, 3), (1, 9), (12, 5), (7, 30)])
def test_the_exact_test_counts_all_outcomes(wins: int, losses: int) -> None:
    rows = wins + losses
    if rows <= 17:
        extreme = sum(max(sum(signs), rows - sum(signs)) >= max(wins, losses) for signs in product((0, 1), repeat=rows))
        assert mcnemar_p(wins, losses) == pytest.approx(extreme / 2**rows)
    else:
        tail = sum(math.comb(rows, losses + more) for more in range(rows - losses + 1)) / 2**rows
        assert mcnemar_p(wins, losses) == pytest.approx(2 * tail)


def test_more_rows_show_smaller_differences() -> None:
    shown = [outcomes(rows // 10, rows // 10, rows - rows // 5).detectable for rows in (50, 200, 1000, 20_000)]
    assert all(value is not None for value in shown)
    assert shown == sorted((value for value in shown if value is not None), reverse=True)
    assert outcomes(0, 0, 20).detectable == pytest.approx(0.38, abs=0.03)
    assert outcomes(0, 0, 5).detectable is None


def test_the_interval_of_one_model() -> None:
    assert mean_interval([1.0] * 20) == (pytest.approx(0.8389, abs=1e-3), 1.0)
    low, high = mean_interval([1.0, 0.0] * 50) or (0, 0)
    assert (low, high) == (pytest.approx(0.4038, abs=1e-3), pytest.approx(0.5962, abs=1e-3))
    wide = mean_interval([1.0, 0.0] * 50, [row // 2 % 25 for row in range(100)])
    same = mean_interval(([1.0] * 4 + [0.0] * 4) * 12, [row // 4 for row in range(96)])
    assert wide is not None
    assert same is not None
    assert same[1] - same[0] > 1.8 * (high - low)
    assert mean_interval([2.0] * 30) is None
    assert mean_interval([2.0]) is None
