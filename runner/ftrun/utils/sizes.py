"""Sizes of folders, and numbers of bytes for people."""

from __future__ import annotations

import os
from pathlib import Path


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
