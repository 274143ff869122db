"""A lock on a file that lasts exactly as long as any process that holds its descriptor.

The operating system drops it when the last holder ends, however it ends. A stage process and its children inherit the
descriptor, so that a trainer whose `ftrun` was killed still keeps others out.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType


class FileLock:
    """A lock on `path`, which is made and never removed: removing it would let two hold it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Takes the lock for this process alone, if nobody has it."""
        return self._try(fcntl.LOCK_EX)

    def try_share(self) -> bool:
        """Takes the lock together with others that share it, if nobody has it alone."""
        return self._try(fcntl.LOCK_SH)

    def _try(self, how: int) -> bool:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def wait(self, seconds: float = 0.5) -> None:
        """Sleeps a moment between two tries."""
        time.sleep(seconds)

    @property
    def descriptor(self) -> int:
        """To be passed on to the processes that share the lock."""
        assert self._descriptor is not None
        return self._descriptor

    def release(self) -> None:
        """Lets go of this process's share; other holders keep the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Whether any process holds the lock on `path` now."""
    if not path.exists():
        return False
    lock = FileLock(path)
    if lock.try_acquire():
        lock.release()
        return False
    return True
