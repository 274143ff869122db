"""Errors at key paths of a recipe, before ftrun finds the file or override that sets the key."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Issue", "KeyPath"]

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Issue:
    """Error in a composed recipe. Fields without a description are those of `ftrun.api.errors.Problem`.

    Args:
        path: The path of the key with the error.
        also: Paths of other keys that contribute to the error, such as the second of two that conflict.
    """

    code: str
    path: KeyPath
    what: str
    expected: str | None = None
    did_you_mean: tuple[str, ...] = ()
    hint: str | None = None
    also: tuple[KeyPath, ...] = ()
