"""File locks that last exactly as long as a process holds their descriptor.

The operating system releases a lock when its last holder ends, even after a crash. A stage process and its children
inherit the descriptor. A trainer whose `ftrun` was killed therefore still holds the lock.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from ftrun.api.errors import Problem, StoreError
from ftrun.utils.file_modes import NEW_FILE

UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)  # of a file system without flock


class FileLock:
    """A lock on the file `path`.

    The file is created and never removed, because removal would allow two holders.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Acquire the lock exclusively; return False if another process holds it."""
        return self._try(fcntl.LOCK_EX)

    def try_share(self) -> bool:
        """Acquire the lock as one of several holders; return False if another process holds it exclusively."""
        return self._try(fcntl.LOCK_SH)

    def _try(self, operation: int) -> bool:
        descriptor = _open(self.path)
        try:
            fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, OSError) and error.errno in UNSUPPORTED:
                raise StoreError(_describe_unsupported(self.path)) from error
            raise
        self._descriptor = descriptor
        return True

    def wait(self, seconds: float = 0.5) -> None:
        """Sleep between two attempts."""
        time.sleep(seconds)

    @property
    def descriptor(self) -> int:
        """The file descriptor; pass it to the processes that share the lock."""
        assert self._descriptor is not None
        return self._descriptor

    def release(self) -> None:
        """Release the lock in this process; other holders keep it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _open(path: Path) -> int:
    """Open the file of a lock, and create it if it does not exist. It may belong to another user of the store."""
    try:
        return os.open(path, os.O_RDWR)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, NEW_FILE)
    except PermissionError:  # a lock needs no permission to write
        return os.open(path, os.O_RDONLY)


def _describe_unsupported(path: Path) -> Problem:
    return Problem(
        "no-file-locks",
        "the file system of the store has no file locks (flock), so two runs could damage each other's work",
        at=str(path),
        hint="set FTRUN_STORE to a folder on a local disk, or mount the file system with locks",
    )


def is_held(path: Path) -> bool:
    """Return whether any process holds the lock on `path`; does not create the file."""
    if not path.is_file():  # a folder in its place is no lock
        return False
    lock = FileLock(path)
    if lock.try_acquire():
        lock.release()
        return False
    return True
