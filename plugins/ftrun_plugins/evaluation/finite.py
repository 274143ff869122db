"""Refuse scores that cannot be compared: a mean over one NaN is NaN."""

from __future__ import annotations

import math

from ftrun.api.errors import FtrunError, Problem

HINT = "the model may have diverged, or overflows in this precision: look at its losses and weights"


def require_finite(value: float, what: str, place: str) -> float:
    """Return `value`. Raises `FtrunError` with the row's place if it is NaN or infinite."""
    if not math.isfinite(value):
        raise FtrunError(Problem("not-finite", f"{what} is not a finite number: {value}", at=place, hint=HINT))
    return value
