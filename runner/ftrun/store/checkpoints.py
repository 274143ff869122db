"""Checkpoints in a call's scratch: each gets a mark once it is whole, and those without are removed before a start.

axolotl picks the checkpoint with the highest number, whole or not.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from ftrun.store.files import sync

MARK = "complete"
PREFIX = "checkpoint-"


def checkpoints(out: Path) -> Iterator[tuple[int, Path]]:
    """Steps and folders of the checkpoints below a trainer's output folder."""
    for folder in out.glob(f"{PREFIX}*"):
        step = folder.name.removeprefix(PREFIX)
        if step.isdigit() and folder.is_dir():
            yield int(step), folder


def mark(folder: Path) -> None:
    """Says that a checkpoint is whole; its files reach the disk first."""
    for path in folder.rglob("*"):
        if path.is_file():
            sync(path)
    (folder / MARK).touch()
    sync(folder)


def remove_unfinished(out: Path) -> list[int]:
    """Removes checkpoints without a mark; returns their steps."""
    removed = []
    for step, folder in checkpoints(out):
        if not (folder / MARK).exists():
            shutil.rmtree(folder)
            removed.append(step)
    return sorted(removed)


def last_step(out: Path) -> int | None:
    """The step that training would go on from, or None."""
    return max((step for step, folder in checkpoints(out) if (folder / MARK).exists()), default=None)
