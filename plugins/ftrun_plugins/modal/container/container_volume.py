"""Container access to the Volume: read the commits of other containers, and commit writes.

Commits are not atomic across containers, and the last writer of a file wins. The commits of others are visible only
after a reload, which Modal refuses while a file on the Volume is open. Therefore each file has one writing container,
files are open only during a write, and an artifact exists once its manifest does, which is committed last.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ftrun.api.checkpoints import last_step
from ftrun.api.manifest import Manifest
from ftrun.api.paths import Store
from ftrun.api.stage_call import Ref
from ftrun.store.artifacts import find
from ftrun_plugins.modal.options import MOUNT

T = TypeVar("T")
MAX_TRIES = 8
MAX_WAIT = 60.0  # seconds until a finished artifact must be visible with all its files
VARIABLE = "FTRUN_VOLUME"  # environment variable of images with the mount point of the Volume


class ContainerStore:
    """Store on a mounted Volume."""

    def __init__(self, volume: str) -> None:
        import modal

        self._volume: Any = modal.Volume.from_name(volume)
        self._lock = threading.Lock()
        self.store = Store(Path(os.environ.get(VARIABLE, MOUNT)))

    def commit(self) -> None:
        """Make the writes of this container visible to others. Repeat a failed commit, which loses no data."""
        self._retry(self._volume.commit)

    def reload(self) -> None:
        """Make the commits of other containers visible."""
        self._retry(self._volume.reload)

    def _retry(self, action: Callable[[], None]) -> None:
        import modal

        for left in reversed(range(MAX_TRIES)):
            try:
                with self._lock:
                    return action()
            except (modal.exception.Error, OSError, RuntimeError):  # RuntimeError: a file is open
                if not left:
                    raise
                time.sleep(0.2 * (MAX_TRIES - left))
        return None

    def last_checkpoint(self, ref: Ref) -> int | None:
        """Return the step of the last complete checkpoint of an unfinished call, or None if it has none."""
        steps = [last_step(folder) for folder in self.store.scratch(ref).work.glob("*")]
        return max((step for step in steps if step is not None), default=None)

    def find(self, ref: Ref, timeout: float = 0.0) -> Manifest | None:
        """Return the manifest of an artifact, or None. Waits up to `timeout` seconds for a complete artifact."""
        return self._poll(lambda: find(self.store, ref), timeout, 0.2)

    def has_file(self, digest: str, timeout: float) -> bool:
        """Return whether an uploaded file exists. Waits up to `timeout` seconds for it."""
        return self._poll(self.store.file(digest).exists, timeout, 0.05)

    def _poll(self, check: Callable[[], T], timeout: float, pause: float) -> T:
        end = time.monotonic() + timeout
        while True:
            result = check()
            if result or time.monotonic() >= end:
                return result
            time.sleep(pause)
            self.reload()
