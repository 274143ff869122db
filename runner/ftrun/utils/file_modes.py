"""Permissions of shared files: those that the umask of the user allows, so that a group can share a store."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

NEW_FILE = 0o666  # before the umask


def share(path: Path) -> None:
    """Set the permissions of a file or folder to those of a new one. Some libraries keep theirs from the group.

    The set-group-ID bit of a folder stays, so new files in it get its group.
    """
    current = path.stat().st_mode
    if stat.S_ISDIR(current):
        path.chmod(0o777 & ~read_umask() | current & stat.S_ISGID)
    else:
        path.chmod(NEW_FILE & ~read_umask())


def read_umask() -> int:
    """Return the umask of this process without changing it, which would affect other threads."""
    try:
        found = re.search(r"^Umask:\s+([0-7]+)", Path("/proc/self/status").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    if found:
        return int(found[1], 8)
    mask = os.umask(0o077)  # a system without /proc
    os.umask(mask)
    return mask
