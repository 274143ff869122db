"""Texts that are equal to a reader, whatever their code points."""

from __future__ import annotations

from typing import Any

import pytest

from ftrun_plugins.evaluation.metrics.exact_match import ExactMatch

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"
WIDE = "\uff11\uff12"  # full-width digits


@pytest.mark.parametrize(
    ("answer", "reference", "options", "expected"),
    [
        (DECOMPOSED, COMPOSED, {}, 1.0),
        (DECOMPOSED, COMPOSED, {"unicode": None}, 0.0),
        (DECOMPOSED.upper(), COMPOSED, {"ignore_case": True}, 1.0),
        ("\u0130", "i\u0307", {"ignore_case": True}, 1.0),  # a capital I with a dot
        (WIDE, "12", {}, 0.0),
        (WIDE, "12", {"unicode": "nfkc"}, 1.0),
        ("a\u00a0b", "a b", {}, 1.0),
        ("a  b", "a b", {"ignore_whitespace": False}, 0.0),
    ],
)
def test_scores(answer: str, reference: str, options: dict[str, Any], expected: float) -> None:
    assert ExactMatch().score(answer, reference, {}, ExactMatch.Options(**options))[0] == expected
