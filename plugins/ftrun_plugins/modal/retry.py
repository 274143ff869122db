"""Retries of requests while Modal is unreachable, because its client gives up after less than a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
MAX_SECONDS = 600.0  # seconds
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between tries; the last one repeats


def retry(action: Callable[[], T], max_seconds: float = MAX_SECONDS) -> T:
    """Call `action` until Modal answers, for at most `max_seconds`, and return its result.

    `action` must be safe to repeat.
    """
    import modal

    end = time.monotonic() + max_seconds
    tries = 0
    while True:
        try:
            return action()
        except (modal.exception.ServiceError, modal.exception.ConnectionError):
            if time.monotonic() > end:
                raise
        time.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
        tries += 1
