"""Comparison of the results of two statements."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from ftrun_plugins.evaluation.metrics.sql_database import Cell, Row

RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 1e-6, 1e-9


def same_result(reference: Sequence[Row], candidate: Sequence[Row], ordered: bool) -> bool:
    """Return whether two results are equal, as lists if ordered, else as multisets. Column names are ignored."""
    if len(reference) != len(candidate):
        return False
    return all(map(same_row, reference, candidate)) if ordered else contains_rows(reference, candidate)


def contains_rows(reference: Sequence[Row], candidate: Sequence[Row]) -> bool:
    """Return whether all rows of a multiset are in another multiset."""
    available, wanted = Counter(reference), Counter(candidate)
    rest = list((available - wanted).elements())  # not identical, but perhaps within the tolerance
    for row in (wanted - available).elements():
        match = next((index for index, other in enumerate(rest) if same_row(other, row)), None)
        if match is None:
            return False
        del rest[match]
    return True


def same_row(reference: Row, candidate: Row) -> bool:
    """Return whether two rows have equal cells."""
    return len(reference) == len(candidate) and all(map(same_cell, reference, candidate))


def same_cell(reference: Cell, candidate: Cell) -> bool:
    """Return whether two values are equal. Floats have a tolerance."""
    if isinstance(reference, int | float) and isinstance(candidate, int | float):
        if isinstance(reference, float) or isinstance(candidate, float):
            return math.isclose(reference, candidate, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)
        return reference == candidate
    return type(reference) is type(candidate) and reference == candidate


def describe_difference(expected: Sequence[Row], returned: Sequence[Row]) -> str:
    """Return the difference of two results as one line."""
    if len(expected) != len(returned):
        return f"returns {len(returned)} rows, not {len(expected)}"
    if expected and len(expected[0]) != len(returned[0]):
        return f"returns {len(returned[0])} columns, not {len(expected[0])}"
    if same_result(expected, returned, ordered=False):
        return "returns the rows in a different order"
    return "returns different rows"
