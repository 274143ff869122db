"""Finds the known names that a misspelt one most likely meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher


def nearest(name: str, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The known names closest to `name`, best first; empty when none is close."""
    wanted = name.lower()
    scored = ((_likeness(wanted, other.lower()), other) for other in known)
    close = sorted(((score, other) for score, other in scored if score >= 0.6), key=lambda pair: (-pair[0], pair[1]))
    return tuple(other for _, other in close[:most])


def _likeness(a: str, b: str) -> float:
    if sorted(a) == sorted(b):  # transposed letters are the commonest slip, and difflib rates them low
        return 0.99
    matcher = SequenceMatcher(a=a, b=b, autojunk=False)
    if matcher.real_quick_ratio() < 0.6 or matcher.quick_ratio() < 0.6:
        return 0.0
    return matcher.ratio()
