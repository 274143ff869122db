"""The Volume as a container sees it: reading what others committed, committing what was written.

Commits are not atomic across containers, the last writer of a file wins, and what others committed shows only after a
reload, which is refused while a file on the Volume is open. So every file has one writing container, files are opened
only for as long as a write takes, and an artifact exists once its manifest does, which is committed last.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ftrun.api.checkpoints import last_step
from ftrun.api.paths import Store
from ftrun.api.stage_call import Ref
from ftrun.store.artifacts import Manifest, find
from ftrun_plugins.modal.options import MOUNT

T = TypeVar("T")
TRIES = 8
LONGEST_WAIT = 60.0  # seconds until an artifact whose manifest was seen has to be whole
VARIABLE = "FTRUN_VOLUME"  # set in images to the place where the Volume is mounted


class ContainerStore:
    """The store on a mounted Volume."""

    def __init__(self, volume: str) -> None:
        import modal

        self._volume: Any = modal.Volume.from_name(volume)
        self._lock = threading.Lock()
        self.store = Store(Path(os.environ.get(VARIABLE, MOUNT)))

    def commit(self) -> None:
        """Makes what was written here visible to others. Tried again: a commit may fail and lose nothing."""
        self._again(self._volume.commit)

    def reload(self) -> None:
        """Makes visible what others have committed."""
        self._again(self._volume.reload)

    def _again(self, action: Callable[[], None]) -> None:
        import modal

        for left in reversed(range(TRIES)):
            try:
                with self._lock:
                    return action()
            except (modal.exception.Error, OSError, RuntimeError):  # RuntimeError: files are open just now
                if not left:
                    raise
                time.sleep(0.2 * (TRIES - left))
        return None

    def last_checkpoint(self, ref: Ref) -> int | None:
        """The step of the last whole checkpoint of a call that is not finished."""
        steps = [last_step(folder) for folder in self.store.scratch(ref).work.glob("*")]
        return max((step for step in steps if step is not None), default=None)

    def find(self, ref: Ref, patience: float = 0.0) -> Manifest | None:
        """The manifest of an artifact; waits so many seconds until all of it can be seen."""
        return self._seen(lambda: find(self.store, ref), patience, 0.2)

    def has_file(self, digest: str, patience: float) -> bool:
        """Whether an uploaded file is there; waits so many seconds until it is."""
        return self._seen(self.store.file(digest).exists, patience, 0.05)

    def _seen(self, look: Callable[[], T], patience: float, pause: float) -> T:
        end = time.monotonic() + patience
        while True:
            found = look()
            if found or time.monotonic() >= end:
                return found
            time.sleep(pause)
            self.reload()
