"""Asks the system about a path before anything opens it: some files have no end, some paths none."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ftrun.api.errors import InvalidInput, Problem

LOOP = "it is a symbolic link that leads back to itself"
REASONS = {errno.ELOOP: LOOP, errno.ENAMETOOLONG: "the name is too long for a file"}


def check_path(path: Path, expected: str) -> None:
    """Raises `InvalidInput` where the path cannot be followed, and for a regular file that has no size.

    Such are also what the system makes up while it is read, as under `/proc`, and reading may never end.
    """
    shown = str(path)[:200]
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            target = os.readlink(path)  # noqa: PTH115  (as it was written, whatever it is)
            raise InvalidInput(
                Problem("file-not-found", f"it is a symbolic link to {target}, which is not there", shown, expected)
            ) from None
        return
    except NotADirectoryError:
        return
    except OSError as error:
        reason = REASONS.get(error.errno or 0, f"it cannot be looked at: {error.strerror}")
        raise InvalidInput(Problem("file-unreadable", reason, shown, expected)) from None
    except ValueError:
        raise InvalidInput(
            Problem("file-unreadable", "the path holds a NUL byte", shown.replace("\0", "\\0"), expected)
        ) from None
    if path.is_file() and not status.st_size:
        raise InvalidInput(Problem("no-rows", "the file is empty", shown, expected))
