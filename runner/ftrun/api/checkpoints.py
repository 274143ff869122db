"""Folders in a call's scratch that a later try continues from: each gets a mark once it is whole.

Folders without a mark are removed before a try: axolotl picks the checkpoint with the highest number and loads
prepared rows from any folder that is there, whole or not.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from ftrun.utils.atomic_io import sync

MARK = "complete"
PREFIX = "checkpoint-"


def checkpoints(out: Path) -> Iterator[tuple[int, Path]]:
    """Steps and folders of the checkpoints below a trainer's output folder."""
    for folder in out.glob(f"{PREFIX}*"):
        step = folder.name.removeprefix(PREFIX)
        if step.isdigit() and folder.is_dir():
            yield int(step), folder


def mark(folder: Path) -> None:
    """Mark a folder as whole; its files reach the disk first."""
    for path in folder.rglob("*"):
        if path.is_file():
            sync(path)
    (folder / MARK).touch()
    sync(folder)


def remove_unmarked(folder: Path) -> bool:
    """Remove a folder that has no mark; return whether there was one."""
    if not folder.exists() or (folder / MARK).exists():
        return False
    shutil.rmtree(folder)
    return True


def remove_unfinished(out: Path) -> list[int]:
    """Remove checkpoints without a mark; return their steps."""
    return sorted(step for step, folder in list(checkpoints(out)) if remove_unmarked(folder))


def last_step(out: Path) -> int | None:
    """The step that training would go on from, or None."""
    return max((step for step, folder in checkpoints(out) if (folder / MARK).exists()), default=None)
