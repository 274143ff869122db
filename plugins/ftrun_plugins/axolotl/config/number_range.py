"""Range of the numbers that a trainer key accepts, with the reason."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """Range of the numbers that a key accepts.

    Attributes:
        effect: Effect of a number outside the range, as the end of the sentence "KEY is VALUE, which …".
        unit: Unit of the number.
        gt, ge, lt, le: Bounds, as in pydantic.
        whole_above: Number above which only whole numbers are accepted. Below, a number is a fraction.
    """

    effect: str
    unit: str | None = None
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    whole_above: float | None = None

    def accepts(self, number: float) -> bool:
        """Return whether the number is in the range. NaN and infinity are in no range."""
        if not math.isfinite(number):
            return False
        low = (self.gt is None or number > self.gt) and (self.ge is None or number >= self.ge)
        high = (self.lt is None or number < self.lt) and (self.le is None or number <= self.le)
        whole = self.whole_above is None or number <= self.whole_above or float(number).is_integer()
        return low and high and whole

    def keywords(self) -> dict[str, float]:
        """Return the bounds as keywords of JSON Schema."""
        names = {"exclusiveMinimum": self.gt, "minimum": self.ge, "exclusiveMaximum": self.lt, "maximum": self.le}
        return {name: bound for name, bound in names.items() if bound is not None}

    def __str__(self) -> str:
        words = {"greater than": self.gt, "at least": self.ge, "less than": self.lt, "at most": self.le}
        bounds = " and ".join(f"{word} {bound:,}" for word, bound in words.items() if bound is not None)
        bounds = bounds or "a finite number"
        if self.whole_above is not None:
            bounds = f"{bounds}, and whole if above {self.whole_above:,}"
        return f"{bounds} ({self.unit})" if self.unit else bounds
