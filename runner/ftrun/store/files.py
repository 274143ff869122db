"""Writes files so that a reader sees the old content or the new, and says what to do when a disk is full."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftrun.errors import Problem, StoreFailed


def write_text(path: Path, text: str) -> None:
    """Writes aside, then renames."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes aside, then renames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Sends a file's content, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def read_json(path: Path) -> Any:
    """The JSON value in a file, or None where there is no such file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


@contextmanager
def store_errors(root: Path) -> Iterator[None]:
    """Turns a full disk or a read-only folder into a message that says what to free."""
    try:
        yield
    except OSError as error:
        problem = disk_problem(error, root)
        if problem is None:
            raise
        raise StoreFailed(problem) from error


def disk_problem(error: BaseException, root: Path) -> Problem | None:
    """The problem that stands for a full, read-only or forbidden disk; None for any other error."""
    code = _code(error)
    if code in (errno.ENOSPC, errno.EDQUOT):
        return Problem(
            "disk-full",
            f"the disk is full: {_free(root)} free at {root}",
            hint=f"free space{_largest(root)}, then `ftrun resume last`: nothing that was finished is lost",
        )
    if code == errno.EROFS:
        return Problem(
            "store-read-only",
            f"the store is read-only: {root}",
            hint="make it writable, or name another folder in FTRUN_STORE",
        )
    if code in (errno.EACCES, errno.EPERM):
        where = getattr(error, "filename", None) or root
        return Problem(
            "no-permission",
            f"no permission to write {where}",
            hint="change its owner, or name another folder in FTRUN_STORE",
        )
    return None


def _code(error: BaseException | None) -> int | None:
    """The error number, also where a library has wrapped the operating system's error or only kept its words."""
    while error is not None:
        if isinstance(error, OSError) and error.errno:
            return error.errno
        if "No space left on device" in str(error) or "os error 28" in str(error):
            return errno.ENOSPC
        error = error.__cause__ or error.__context__
    return None


def _free(root: Path) -> str:
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    return human_size(shutil.disk_usage(there).free)


def _largest(root: Path) -> str:
    """The largest folders of the store, by name and size, so that a person can choose."""
    folders = [*root.glob("scratch/*/*"), *root.glob("artifacts/*/*")]
    sized = sorted(((folder_size(folder), folder) for folder in folders if folder.is_dir()), reverse=True)[:3]
    named = ", ".join(f"{folder.relative_to(root)} {human_size(size)}" for size, folder in sized)
    return f" (largest in the store: {named})" if named else ""


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder, links not followed."""
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(Path(here) / name).st_size
            except OSError:  # it went away meanwhile
                continue
    return total


def human_size(size: float) -> str:
    """Bytes for people, in powers of 1,000: `1.2 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
