"""Suggestions of known names for a misspelt name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

LONGEST = 60  # characters compared
CLOSE = 0.66  # ratio of difflib: one error in a word of five letters, three in a word of ten


def nearest(name: object, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """Return the known names that `name` may mean, best first: it is misspelt, or the start of a longer name."""
    wanted = _normalize(str(name)[:LONGEST])
    scored = ((_rate(wanted, _normalize(other)), other) for other in known)
    close = sorted(
        ((score, other) for score, other in scored if score >= CLOSE),
        key=lambda pair: (-pair[0], len(pair[1]), pair[1]),
    )
    return tuple(dict.fromkeys(other for _, other in close))[:most]


def _normalize(name: str) -> str:
    return name.lower().replace("-", "_")


def _rate(a: str, b: str) -> float:
    if sorted(a) == sorted(b):  # transposed letters are the most common error, and difflib rates them low
        return 0.99
    if a and b.startswith(f"{a}_"):
        return CLOSE
    matcher = SequenceMatcher(a=a, b=b, autojunk=False)
    if matcher.real_quick_ratio() < CLOSE or matcher.quick_ratio() < CLOSE:
        return 0.0
    return matcher.ratio()
