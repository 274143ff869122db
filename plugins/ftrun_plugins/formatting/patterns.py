"""Regular expressions of recipes. One that tries ever more ways to match is told, not waited for."""

from __future__ import annotations

import re
import signal
import threading
from types import FrameType

SECONDS = 2.0  # for one text


class PatternTakesTooLongError(Exception):
    """Raised out of a search; the row is at fault, or rather the pattern."""


class Pattern:
    """Searches in texts, in the main thread within `SECONDS` each: Python's engine looks for signals as it works."""

    def __init__(self, pattern: str) -> None:
        self._search = re.compile(pattern).search

    def is_in(self, text: str) -> bool:
        """Whether the pattern matches anywhere. Raises `PatternTakesTooLongError`."""
        if threading.current_thread() is not threading.main_thread():
            return self._search(text) is not None
        before = signal.signal(signal.SIGALRM, _give_up)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            return self._search(text) is not None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def _give_up(number: int, frame: FrameType | None) -> None:
    raise PatternTakesTooLongError
