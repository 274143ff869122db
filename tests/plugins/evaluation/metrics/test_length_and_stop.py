"""Whether an answer ends by itself, and at which length."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ftrun.api.evaluators import Answer
from ftrun_plugins.evaluation.metrics.length_and_stop import LengthAndStop


@pytest.mark.parametrize(
    ("tokens", "stopped", "options", "expected"),
    [
        (5, True, {}, (1.0, None)),
        (0, True, {}, (1.0, None)),
        (64, False, {}, (0.0, "did not stop within 64 tokens")),
        (64, False, {"max_tokens": 10}, (0.0, "did not stop within 64 tokens")),
        (5, True, {"min_tokens": 5, "max_tokens": 5}, (1.0, None)),
        (4, True, {"min_tokens": 5}, (0.0, "has 4 tokens, fewer than 5")),
        (6, True, {"max_tokens": 5}, (0.0, "has 6 tokens, more than 5")),
        (1, True, {"max_tokens": 0}, (0.0, "has 1 tokens, more than 0")),
    ],
)
def test_scores(tokens: int, stopped: bool, options: dict[str, Any], expected: tuple[float, str | None]) -> None:
    given = LengthAndStop.Options.model_validate(options)
    assert LengthAndStop().score(Answer("text", tokens, stopped), "", {}, given) == expected


def test_a_length_that_no_answer_can_have_is_refused() -> None:
    with pytest.raises(ValidationError, match="at most as large as"):
        LengthAndStop.Options(min_tokens=3, max_tokens=2)
