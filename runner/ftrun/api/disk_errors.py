"""Report a full, read-only or forbidden disk as a problem that says what to free."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ftrun.api.errors import Problem, StoreError
from ftrun.utils.sizes import folder_size, human_size


@contextmanager
def store_errors(root: Path) -> Iterator[None]:
    """Turns a full disk or a read-only folder into a message that says what to free."""
    try:
        yield
    except OSError as error:
        problem = disk_problem(error, root)
        if problem is None:
            raise
        raise StoreError(problem) from error


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
