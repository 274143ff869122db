"""How a user's wish to stop reaches whatever waits: once for a clean stop with a checkpoint, twice for at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopSignal:
    """`level` is 0 (go on), 1 (stop cleanly) or 2 (stop at once); it only rises."""

    def __init__(self) -> None:
        self.level = 0
        self._raised = threading.Event()

    def raise_level(self, level: int | None = None) -> None:
        self.level = max(self.level, min(2, self.level + 1 if level is None else level))
        self._raised.set()

    def wait(self, seconds: float) -> None:
        """Sleeps, but no longer than until the first wish to stop."""
        self._raised.wait(seconds) if self.level == 0 else time.sleep(seconds)


@contextmanager
def stop_on_signals(stop: StopSignal) -> Iterator[None]:
    """While this lasts, each interrupt (Ctrl-C, SIGTERM) raises the level instead of ending the process."""

    def handler(number: int, frame: FrameType | None) -> None:
        stop.raise_level()

    numbers = (signal.SIGINT, signal.SIGTERM)
    old = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in old.items():
            signal.signal(number, previous)
