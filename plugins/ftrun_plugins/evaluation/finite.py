"""Check for scores that cannot be compared. The mean over a single NaN is NaN."""

from __future__ import annotations

import math

from ftrun.api.errors import FtrunError, Problem

HINT = "the model may have diverged or overflowed in this precision: check its losses and weights"


def require_finite(value: float, what: str, place: str) -> float:
    """Return `value`.

    Raises:
        FtrunError: If `value` is NaN or infinite. The error names the place of the row.
    """
    if not math.isfinite(value):
        raise FtrunError(Problem("not-finite", f"{what} is not a finite number: {value}", at=place, hint=HINT))
    return value
