"""Correction of p-values for several comparisons.

Source: Holm, A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6 (1979),
65-70.
"""

from __future__ import annotations

from collections.abc import Mapping


def adjust_p_values(values: Mapping[str, float]) -> dict[str, float]:
    """Return the p-values adjusted by Holm's method, by name, in the same order."""
    adjusted: dict[str, float] = {}
    largest = 0.0
    for rank, (name, p) in enumerate(sorted(values.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, p * (len(values) - rank)))
        adjusted[name] = largest
    return {name: adjusted[name] for name in values}
