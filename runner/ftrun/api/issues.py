"""A finding in a recipe: what is wrong at a key path, before anyone knows which file or override set it."""

from __future__ import annotations

from dataclasses import dataclass

from ftrun.recipe.yaml_files import KeyPath


@dataclass(frozen=True)
class Issue:
    """One thing wrong at `path` of the composed recipe; the other fields are those of `ftrun.api.errors.Problem`."""

    code: str
    path: KeyPath
    what: str
    expected: str | None = None
    did_you_mean: tuple[str, ...] = ()
    hint: str | None = None
    also: tuple[KeyPath, ...] = ()  # further places that take part, e.g. the other of two that disagree
