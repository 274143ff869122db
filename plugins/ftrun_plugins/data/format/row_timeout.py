"""Per-row timeout for formatters, using SIGALRM. The timer runs once a second, so rows have no overhead."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Self

from ftrun.api.rows import Row

LONGEST = 60.0  # seconds per row; a row usually takes microseconds
TICK = 1.0  # seconds


class RowTimeout(BaseException):
    """Timeout of a row, raised inside the formatter.

    It is not an `Exception`, so a formatter that catches every `Exception` does not catch it.
    """


class Watch:
    """Watchdog of the attribute `row`, which is set while a formatter works on that row.

    Raises `RowTimeout` inside the formatter if the row does not change for `longest` seconds. Python code is
    interrupted at any point, also inside a regular expression. Code in C that does not check for signals, such as a
    power of huge numbers, is not interrupted. Only the main thread gets signals, so other threads have no timeout.
    """

    def __init__(self, longest: float | None = None) -> None:
        self.row: Row | None = None
        self.longest = LONGEST if longest is None else longest
        self._last: Row | None = None
        self._seconds = 0.0

    def __enter__(self) -> Self:
        self._is_active = threading.current_thread() is threading.main_thread()
        if self._is_active:
            self._previous_handler = signal.signal(signal.SIGALRM, self._check)
            self._tick = min(TICK, self.longest / 4)
            signal.setitimer(signal.ITIMER_REAL, self._tick, self._tick)
        return self

    def __exit__(self, *error: object) -> None:
        if self._is_active:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._previous_handler)

    def _check(self, number: int, frame: FrameType | None) -> None:
        if self.row is None or self.row is not self._last:
            self._last, self._seconds = self.row, 0.0
            return
        self._seconds += self._tick
        if self._seconds >= self.longest:
            raise RowTimeout
