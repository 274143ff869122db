"""Rides out a control plane that is not there for a while: Modal's client gives up after less than a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LONGEST = 600.0  # seconds
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between tries, the last again and again


def retry(action: Callable[[], T], longest: float = LONGEST) -> T:
    """What `action` returns, once Modal answers. Only for what may be done twice without harm."""
    import modal

    end = time.monotonic() + longest
    tries = 0
    while True:
        try:
            return action()
        except (modal.exception.ServiceError, modal.exception.ConnectionError):
            if time.monotonic() > end:
                raise
        time.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
        tries += 1
