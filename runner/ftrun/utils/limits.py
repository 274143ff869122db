"""Limits of time and memory for what data can make endless: templates, and readers of packed files."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

STATM = Path("/proc/self/statm")
DATA = 5  # the number of its field with the pages of private writable memory


class TimeLimitError(BaseException):
    """End of the time of a block. Not an `Exception`, so that no code in the block catches it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeLimitError in the block after some seconds. Without effect in other threads than the main thread.

    Python code is interrupted at any point. A single operation in C, such as a power of huge numbers, is not.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise TimeLimitError

    previous = signal.signal(signal.SIGALRM, stop)
    outer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if outer[0]:  # the timer of a block around this one
            signal.setitimer(signal.ITIMER_REAL, *outer)


@contextmanager
def memory_limit(extra: int) -> Iterator[None]:
    """Let the process allocate at most `extra` more bytes in the block: an allocation beyond raises MemoryError.

    Without effect on systems without `/proc`.
    """
    used = _data_bytes()
    if used is None:
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = min((limit for limit in (used + extra, soft, hard) if limit != resource.RLIM_INFINITY), default=used + extra)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int | None:
    """Return the size of the private writable memory of this process, or None if it is unknown."""
    try:
        return int(STATM.read_bytes().split()[DATA]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, LookupError):
        return None
