"""Sizes of folders, and byte counts as text."""

from __future__ import annotations

import os
from pathlib import Path


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below a folder, without following links."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(Path(parent) / name).st_size
            except OSError:  # the file was removed meanwhile
                continue
    return total


def human_size(size: float) -> str:
    """Return a number of bytes as text, in powers of 1,000: `1.2 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
