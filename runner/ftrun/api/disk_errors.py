"""Conversion of errors of the disk (full, read-only, no permission) into problems with hints."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ftrun.api.errors import Problem, StoreError
from ftrun.utils.sizes import folder_size, human_size

__all__ = ["PATH_ERRORS", "describe_path_error", "disk_problem", "path_problem", "shorten_path", "store_errors"]

LONGEST_PATH = 200  # characters in a message
PATH_ERRORS = {
    errno.EEXIST: "exists, but is no folder",
    errno.EISDIR: "is a folder, not a file",
    errno.ELOOP: "is a loop of links",
    errno.ENAMETOOLONG: "has a name that is too long",
    errno.ENODEV: "is a device that cannot be used",
    errno.ENOTDIR: "is no folder, or is inside something that is no folder",
    errno.ENXIO: "is a device or socket that cannot be used",
}

FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_TEXTS = ("No space left on device", "os error 28", "Disk quota exceeded", "os error 122")
# `torch.save` reports a failed write without its reason, which is a full disk if little space is free.
FAILED_WRITES = ("inline_container.cc", "PytorchStreamWriter failed writing", "iostream error")
LITTLE_SPACE = 1_000_000  # bytes


@contextmanager
def store_errors(root: Path) -> Iterator[None]:
    """Raise a StoreError with a hint if the block fails because of a full or read-only disk or missing permission."""
    try:
        yield
    except OSError as error:
        problem = disk_problem(error, root)
        if problem is None:
            raise
        raise StoreError(problem) from error


def disk_problem(error: BaseException, root: Path) -> Problem | None:
    """Return the problem for a full or read-only disk or missing permission. None for any other error."""
    code = _find_error_number(error, root)
    if code in FULL:
        return Problem(
            "disk-full",
            f"the disk is full: {human_size(_free_space(root))} free at {root}",
            hint=f"free space{_describe_largest_folders(root)}, then run `ftrun resume last`; finished work is kept",
        )
    if code == errno.EROFS:
        return Problem(
            "store-read-only",
            f"the store is read-only: {root}",
            hint="make it writable, or set FTRUN_STORE to another folder",
        )
    if code in (errno.EACCES, errno.EPERM):
        path = getattr(error, "filename", None) or root
        return Problem(
            "no-permission",
            f"no permission to write {path}",
            hint="change its owner, or set FTRUN_STORE to another folder",
        )
    return None


def path_problem(error: BaseException) -> Problem | None:
    """Return the problem for a path that cannot be what it is used as, such as a file in place of a folder.

    None for any other error.
    """
    reason = describe_path_error(error)
    return Problem("unusable-path", reason, hint="move it away, or name another path") if reason else None


def describe_path_error(error: BaseException) -> str | None:
    """Return a path and the reason why it cannot be used, or None for an error of another kind."""
    if not isinstance(error, OSError) or error.filename is None:
        return None
    reason = PATH_ERRORS.get(error.errno or 0)
    if error.errno == errno.ENOENT and str(error.filename).startswith(("/proc/", "/sys/")):
        reason = "cannot be made in a file system of the kernel"
    return f"{shorten_path(str(error.filename))} {reason}" if reason else None


def shorten_path(path: str) -> str:
    """Return a path that fits on one line of a message."""
    return path if len(path) <= LONGEST_PATH else f"{path[:LONGEST_PATH]}… ({len(path):,} characters)"


def _find_error_number(error: BaseException, root: Path) -> int | None:
    """Return the error number of the operating system, even if a library wrapped the error or kept only its message.

    A full disk also explains errors that follow from it, such as a missing file.
    """
    chain = list(_causes(error))
    if any(_says_full(cause, root) for cause in chain):
        return errno.ENOSPC
    return next((cause.errno for cause in chain if isinstance(cause, OSError) and cause.errno), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _says_full(error: BaseException, root: Path) -> bool:
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    text = str(error)
    return any(words in text for words in FULL_TEXTS) or (
        any(words in text for words in FAILED_WRITES) and _free_space(root) < LITTLE_SPACE
    )


def _free_space(root: Path) -> int:
    """Return the bytes that are free at a folder, which may not exist yet."""
    existing = next(folder for folder in (root, *root.parents) if os.path.exists(folder))  # noqa: PTH110  never raises
    return shutil.disk_usage(existing).free


def _describe_largest_folders(root: Path) -> str:
    """Return the names and sizes of the largest folders of the store, from which the user can choose what to delete."""
    folders = [*root.glob("scratch/*/*"), *root.glob("artifacts/*/*")]
    sized = sorted(((folder_size(folder), folder) for folder in folders if folder.is_dir()), reverse=True)[:3]
    named = ", ".join(f"{folder.relative_to(root)} {human_size(size)}" for size, folder in sized)
    return f" (largest in the store: {named})" if named else ""
