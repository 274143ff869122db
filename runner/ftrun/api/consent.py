"""Requests of a recipe that only the user may allow: code that would run, and data that would be sent to a host."""

from __future__ import annotations

from dataclasses import dataclass

from ftrun.api.issues import KeyPath
from ftrun.utils.digests import digest

__all__ = ["ConsentItem"]


@dataclass(frozen=True)
class ConsentItem:
    """One thing that a recipe may not do unless the user says so.

    Args:
        path: Path of the key in the recipe that asks for it.
        what: What would run, or be sent where, with the exact value: a verb in the third person and its object.
        content: Digest of the files that the value names. After a change they need a new consent.
    """

    path: KeyPath
    what: str
    content: str = ""

    @property
    def digest(self) -> str:
        """Identity of the item. It does not contain the name of the recipe: another one may ask for the same."""
        return digest([self.what, self.content])
