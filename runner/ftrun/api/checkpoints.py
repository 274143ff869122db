"""Folders in the scratch of a call from which a later attempt continues. A complete folder gets a mark.

Folders without a mark are removed before an attempt, because axolotl uses the checkpoint with the highest number and
any existing folder of prepared rows, even if they are incomplete.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from ftrun.utils.atomic_io import sync

__all__ = ["PREFIX", "checkpoints", "last_step", "mark", "remove_unfinished", "remove_unmarked"]

MARK = "complete"
PREFIX = "checkpoint-"


def checkpoints(out: Path) -> Iterator[tuple[int, Path]]:
    """Yield the step and the folder of each checkpoint in the output folder of a trainer."""
    for folder in out.glob(f"{PREFIX}*"):
        step = folder.name.removeprefix(PREFIX)
        if step.isdigit() and folder.is_dir():
            yield int(step), folder


def mark(folder: Path) -> None:
    """Mark a folder as complete, after its files are written to the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            sync(path)
    (folder / MARK).touch()
    sync(folder)


def remove_unmarked(folder: Path) -> bool:
    """Remove a folder if it has no mark. Return whether it was removed."""
    if not folder.exists() or (folder / MARK).exists():
        return False
    shutil.rmtree(folder)
    return True


def remove_unfinished(out: Path) -> list[int]:
    """Remove the checkpoints without a mark. Return their steps in ascending order."""
    return sorted(step for step, folder in list(checkpoints(out)) if remove_unmarked(folder))


def last_step(out: Path) -> int | None:
    """Return the step from which training would continue, or None."""
    return max((step for step, folder in checkpoints(out) if (folder / MARK).exists()), default=None)
