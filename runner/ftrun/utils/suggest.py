"""Finds the known names that a misspelt one most likely meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

LONGEST = 60  # characters compared
CLOSE = 0.66  # difflib's ratio: one slip in a word of five letters, three in a word of ten


def nearest(name: object, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The known names that `name` may stand for, best first: misspelt, or the beginning of a longer name."""
    wanted = _plain(str(name)[:LONGEST])
    scored = ((_likeness(wanted, _plain(other)), other) for other in known)
    close = sorted(
        ((score, other) for score, other in scored if score >= CLOSE),
        key=lambda pair: (-pair[0], len(pair[1]), pair[1]),
    )
    return tuple(dict.fromkeys(other for _, other in close))[:most]


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _likeness(a: str, b: str) -> float:
    if sorted(a) == sorted(b):  # transposed letters are the commonest slip, and difflib rates them low
        return 0.99
    if a and b.startswith(f"{a}_"):
        return CLOSE
    matcher = SequenceMatcher(a=a, b=b, autojunk=False)
    if matcher.real_quick_ratio() < CLOSE or matcher.quick_ratio() < CLOSE:
        return 0.0
    return matcher.ratio()
