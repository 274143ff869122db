"""Problems of a recipe at key paths, before the file or override that set the key is known."""

from __future__ import annotations

from dataclasses import dataclass

KeyPath = tuple[str | int, ...]


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
