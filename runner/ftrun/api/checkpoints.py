"""Data of earlier attempts in the work folder of a call: what an attempt continues from, and marks of complete folders.

Libraries take any folder as complete: axolotl uses the checkpoint with the highest number and any prepared rows. ftrun
therefore removes everything from the work folder before an attempt, except what the stage declares as `resumable`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from ftrun.utils.atomic_io import read_json, sync, write_json

__all__ = ["MARK", "PREFIX", "checkpoints", "is_complete", "last_step", "mark", "remove_leftovers"]

MARK = "complete"
PREFIX = "checkpoint-"


def checkpoints(out: Path) -> Iterator[tuple[int, Path]]:
    """Yield the step and the folder of each checkpoint in the output folder of a trainer."""
    for folder in out.glob(f"{PREFIX}*"):
        step = folder.name.removeprefix(PREFIX)
        if step.isdigit() and folder.is_dir():
            yield int(step), folder


def mark(folder: Path) -> None:
    """Mark a folder as complete, after its files are written to the disk.

    The mark lists the files with their sizes, because a kill can also interrupt the removal of a folder.
    """
    files = [path for path in folder.rglob("*") if path.is_file() and path != folder / MARK]
    for path in files:
        sync(path)
    write_json(folder / MARK, {path.relative_to(folder).as_posix(): path.stat().st_size for path in files})
    sync(folder)


def is_complete(folder: Path) -> bool:
    """Return whether a folder has a mark and all files that the mark lists. Later files are ignored."""
    try:
        sizes = read_json(folder / MARK)
        return isinstance(sizes, dict) and all((folder / name).stat().st_size == sizes[name] for name in sizes)
    except (OSError, ValueError):
        return False


def remove_leftovers(work: Path, resumable: Sequence[str]) -> list[str]:
    """Remove everything from a work folder that an attempt does not continue from.

    Args:
        work: The work folder of a call.
        resumable: Patterns of paths in it. A pattern that ends with `/` is for folders with a mark. Other patterns are
            for files that are valid at any length, such as a file to which whole lines are appended.

    Returns:
        The resumable folders that were removed because they are incomplete.
    """
    incomplete: list[str] = []

    def clean(folder: Path) -> None:
        for path in sorted(folder.iterdir()):
            name = path.relative_to(work).as_posix()
            if not path.is_dir() or path.is_symlink():
                if path.is_symlink() or not _matches(name, resumable):
                    path.unlink()
            elif not _matches(f"{name}/", resumable):
                clean(path)
                if not any(path.iterdir()):
                    path.rmdir()
            elif not is_complete(path):
                incomplete.append(name)
                shutil.rmtree(path)

    clean(work)
    return incomplete


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(name.endswith("/") == pattern.endswith("/") and fnmatch(name, pattern) for pattern in patterns)


def last_step(out: Path) -> int | None:
    """Return the step from which training would continue, or None."""
    return max((step for step, folder in checkpoints(out) if is_complete(folder)), default=None)
