"""Files that the user names for output: ordinary ones are replaced atomically, links and devices are written to."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from ftrun.api.disk_errors import describe_path_error, shorten_path
from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.atomic_io import write_bytes

__all__ = ["is_stream", "write_output"]


def write_output(path: Path, content: str | bytes) -> bool:
    """Write a file that the user named, and return whether it is the standard output.

    A reader of an ordinary file sees either the old or the new content. A link stays a link, and a pipe or a device
    stays what it is.

    Raises:
        InvalidInput: If the file cannot be written.
    """
    data = content if isinstance(content, bytes) else content.encode(errors="replace")
    try:
        if _is_stdout(path):
            sys.stdout.flush()
            _write_all(1, data)
            return True
        _write(path.absolute(), data)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        reason = describe_path_error(error) or getattr(error, "strerror", None) or str(error)
        what = f"{shorten_path(str(path))} cannot be written: {reason}"
        raise InvalidInput(Problem("unwritable", what, hint="name another file")) from error
    return False


def is_stream(path: Path) -> bool:
    """Return whether a path is a pipe or a device, which has no content that could be lost."""
    try:
        return path.exists() and not path.is_file() and not path.is_dir()
    except (OSError, ValueError):
        return False


def _is_stdout(path: Path) -> bool:
    """Return whether a path is the standard output. Opening it would begin at the start of a file again."""
    try:
        return (not path.is_file() and os.path.samestat(path.stat(), os.fstat(1))) or _is_descriptor(path)
    except (OSError, ValueError):
        return False


def _is_descriptor(path: Path) -> bool:
    return str(path) in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def _write(path: Path, data: bytes) -> None:
    if _is_replaceable(path):
        mode = path.stat().st_mode if path.exists() else None
        with suppress(PermissionError):  # the folder cannot be written, but the file can
            write_bytes(path, data)
            if mode is not None:
                path.chmod(mode & 0o7777)
            return
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CREAT, 0o666)
    try:
        _write_all(descriptor, data)
    finally:
        os.close(descriptor)


def _is_replaceable(path: Path) -> bool:
    """Return whether a new file may take the place of a path: it is absent, or an ordinary file of one name."""
    if path.is_symlink():
        return False
    return not path.exists() or (path.is_file() and path.stat().st_nlink == 1 and os.access(path, os.W_OK))


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
