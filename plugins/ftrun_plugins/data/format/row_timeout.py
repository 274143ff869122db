"""Ends a formatter that does not come back from a row, at no cost a row: a timer of the system looks once a second."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Self

from ftrun.api.rows import Row

LONGEST = 60.0  # seconds for one row, which takes microseconds
TICK = 1.0  # seconds


class RowTimeout(BaseException):
    """Raised inside the formatter. No `Exception`: a formatter that catches those must not catch this one."""


class Watch:
    """Looks at `row`, which is set while a formatter has it: the same one for too long is too much.

    Python's code is interrupted wherever it is, also in a regular expression. What is not: code in C that runs on
    without ever asking for signals, such as a power of huge numbers. In another thread than the main one, which alone
    gets signals, nothing is watched.
    """

    def __init__(self, longest: float | None = None) -> None:
        self.row: Row | None = None
        self.longest = LONGEST if longest is None else longest
        self._last: Row | None = None
        self._seconds = 0.0

    def __enter__(self) -> Self:
        self._is_on = threading.current_thread() is threading.main_thread()
        if self._is_on:
            self._before = signal.signal(signal.SIGALRM, self._look)
            self._tick = min(TICK, self.longest / 4)
            signal.setitimer(signal.ITIMER_REAL, self._tick, self._tick)
        return self

    def __exit__(self, *error: object) -> None:
        if self._is_on:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)

    def _look(self, number: int, frame: FrameType | None) -> None:
        if self.row is None or self.row is not self._last:
            self._last, self._seconds = self.row, 0.0
            return
        self._seconds += self._tick
        if self._seconds >= self.longest:
            raise RowTimeout
