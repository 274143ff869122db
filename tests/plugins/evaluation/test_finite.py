from __future__ import annotations

import math

import pytest

from ftrun.api.errors import FtrunError
from ftrun_plugins.evaluation.finite import require_finite


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_cannot_be_averaged_is_refused_with_its_row(value: float) -> None:
    with pytest.raises(FtrunError) as refused:
        require_finite(value, "the loss", "rows.jsonl:3")
    assert refused.value.problems[0].at == "rows.jsonl:3"


def test_a_finite_value_comes_back() -> None:
    assert require_finite(-1.5, "the score", "rows.jsonl:1") == -1.5
