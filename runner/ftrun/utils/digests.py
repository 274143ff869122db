"""Digests of values, files and folders, from which keys are computed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

SHA256 = re.compile("[0-9a-f]{64}")
# A change so soon after another may leave the times of a file as they are: file systems count in steps up to this long.
CLOCK_STEP = 2_000_000_000  # nanoseconds


def digest(value: Any) -> str:
    """Return a digest of a JSON value that does not depend on the order of keys.

    Raises:
        TypeError: If the value cannot be represented in JSON.
        ValueError: If it contains NaN or an infinity.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class FileDigests:
    """SHA-256 of files, cached by path and `file_stamp`, so that a plan does not read gigabytes again.

    A file that changed a moment ago is not cached, because its next change may not change its times.
    """

    def __init__(self, cache_file: Path | None = None) -> None:
        from platformdirs import user_cache_path  # only on the client; stages in other environments import this module

        self._cache_file = cache_file or user_cache_path("ftrun") / "digests.json"
        self._known: dict[str, str] = _read_json(self._cache_file)
        self._changed = False

    def file(self, path: Path) -> str:
        """Return the digest of a file's content."""
        size, *times, inode = file_stamp(path)
        name = "|".join(str(part) for part in (path.absolute(), size, *times, inode))
        if name in self._known:
            return self._known[name]
        found = sha256_of(path)
        if time.time_ns() - max(times) > CLOCK_STEP:
            self._known[name] = found
            self._changed = True
        return found

    def folder(self, path: Path) -> str:
        """Return a digest of the names and contents of all files in a folder."""
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return digest({file.relative_to(path).as_posix(): self.file(file) for file in files})

    def save(self) -> None:
        """Save the cache for the next plan. A cache that cannot be written is ignored."""
        if not self._changed:
            return
        try:
            self._cache_file.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._cache_file.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(dict(list(self._known.items())[-5000:])))
            temporary.replace(self._cache_file)
        except OSError:
            return


def _read_json(path: Path) -> dict[str, str]:
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    pairs = values.items() if isinstance(values, dict) else ()
    return {name: value for name, value in pairs if isinstance(value, str) and SHA256.fullmatch(value)}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, which is read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_stamp(path: Path) -> tuple[int, int, int, int]:
    """Return the size, the times of the last changes of content and of state in ns, and the inode of a file.

    A changed file has another stamp, also if a program has set its time of modification back.
    """
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino
