"""Requests to stop: the first stops cleanly with a checkpoint, the second stops immediately."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopSignal", "stop_on_signals"]


class StopSignal:
    """Request to stop. `level` is 0 (continue), 1 (stop cleanly) or 2 (stop immediately). It never decreases."""

    def __init__(self) -> None:
        self.level = 0
        self._raised = threading.Event()

    def raise_level(self, level: int | None = None) -> None:
        """Raise the level to `level`, or by 1 if it is None."""
        self.level = max(self.level, min(2, self.level + 1 if level is None else level))
        self._raised.set()

    def wait(self, seconds: float) -> None:
        """Sleep for some seconds. The first request to stop ends the sleep."""
        self._raised.wait(seconds) if self.level == 0 else time.sleep(seconds)


@contextmanager
def stop_on_signals(stop: StopSignal) -> Iterator[None]:
    """Raise the level on each SIGINT (Ctrl-C) or SIGTERM within the block, instead of ending the process.

    SIGHUP, which a closed terminal sends one or more times, raises the level to 1. A process that ignores SIGHUP, such
    as one that `nohup` started, continues to ignore it.
    """
    terminals = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)]

    def handler(number: int, frame: FrameType | None) -> None:
        stop.raise_level()

    def handle_hangup(number: int, frame: FrameType | None) -> None:
        _discard_output(terminals)
        stop.raise_level(1)

    handlers = {signal.SIGINT: handler, signal.SIGTERM: handler, signal.SIGHUP: handle_hangup}
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        del handlers[signal.SIGHUP]
    original_handlers = {number: signal.signal(number, new) for number, new in handlers.items()}
    try:
        yield
    finally:
        for number, original in original_handlers.items():
            signal.signal(number, original)


def _discard_output(descriptors: list[int]) -> None:
    """Send output that went to a closed terminal nowhere, because writing it would fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
