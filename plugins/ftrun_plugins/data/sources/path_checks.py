"""Checks of a path before the file is opened: links that loop, names that are too long, files without an end."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ftrun.api.errors import InvalidInput, Problem

LOOP = "it is a symbolic link that leads back to itself"
REASONS = {errno.ELOOP: LOOP, errno.ENAMETOOLONG: "the name is too long for a file"}


def check_path(path: Path, expected: str) -> None:
    """Check that the path can be followed, and that a regular file is not empty.

    Files that the system generates while they are read, as under `/proc`, have no size either. Reading them may never
    end.

    Raises:
        InvalidInput: If a check fails. A missing file is no error here.
    """
    excerpt = str(path)[:200]
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            target = os.readlink(path)  # noqa: PTH115  (the target as it is written)
            raise InvalidInput(
                Problem("file-not-found", f"it is a symbolic link to {target}, which does not exist", excerpt, expected)
            ) from None
        return
    except NotADirectoryError:
        return
    except OSError as error:
        reason = REASONS.get(error.errno or 0, f"it cannot be read: {error.strerror}")
        raise InvalidInput(Problem("file-unreadable", reason, excerpt, expected)) from None
    except ValueError:
        raise InvalidInput(
            Problem("file-unreadable", "the path holds a NUL byte", excerpt.replace("\0", "\\0"), expected)
        ) from None
    if path.is_file() and not status.st_size:
        raise InvalidInput(Problem("no-rows", "the file is empty", excerpt, expected))
