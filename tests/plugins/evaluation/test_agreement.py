from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun_plugins.evaluation.agreement import measure_agreement


def ratings(**counts: int) -> list[tuple[str, str]]:
    """Pairs of ratings by their number, such as `yn=5`: the first rater says yes, the second no."""
    return [(pair[0], pair[1]) for pair, count in counts.items() for _ in range(count)]


def test_kappa_of_a_textbook_table() -> None:
    """Of 50 items, 20 and 15 have the same rating. By hand: observed 0.7, by chance 0.5, so kappa is 0.4."""
    found = measure_agreement(ratings(yy=20, yn=5, ny=10, nn=15))
    assert (found.count, found.observed, found.kappa) == (50, pytest.approx(0.7), pytest.approx(0.4))
    assert found.interval is not None
    # the formula of Fleiss, Cohen and Everitt by hand: (0.10972 + 0.10188 - 0.01) / 50 / 0.5 ** 2
    width = 1.959964 * (0.2016 / 50) ** 0.5 / 0.5
    assert found.interval == (pytest.approx(0.4 - width), pytest.approx(0.4 + width))


def test_one_rating_for_all_says_nothing() -> None:
    found = measure_agreement(ratings(yy=30))
    assert (found.observed, found.kappa, found.interval) == (1.0, None, None)
    with pytest.raises(ValueError, match="no ratings"):
        measure_agreement([])


def test_perfect_agreement_and_perfect_disagreement() -> None:
    assert measure_agreement(ratings(yy=10, nn=10)).kappa == pytest.approx(1.0)
    assert measure_agreement(ratings(yn=10, ny=10)).kappa == pytest.approx(-1.0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1))
def test_kappa_is_in_its_range_and_does_not_depend_on_the_order_of_raters(pairs: list[tuple[str, str]]) -> None:
    found, swapped = measure_agreement(pairs), measure_agreement([(two, one) for one, two in pairs])
    if found.kappa is None:
        assert swapped.kappa is None
        return
    assert found.interval is not None
    assert swapped.kappa == pytest.approx(found.kappa)
    assert -1 <= found.interval[0] <= found.kappa + 1e-9
    assert found.kappa - 1e-9 <= found.interval[1] <= 1
