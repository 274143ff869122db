"""Work in a thread, beside a main thread into which Modal raises: preemption and cancellation are exceptions there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class WorkerThread(Generic[T]):
    """Begins `work` in a thread. Its end is an event: a `Thread.join` that an exception interrupts takes the thread for
    ended from then on (CPython 3.11, `_wait_for_tstate_lock`).
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._over = threading.Event()
        self._results: list[T] = []
        self._errors: list[BaseException] = []
        threading.Thread(target=self._run, name="work").start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # raised where the result is asked for
            self._errors.append(error)
        finally:
            self._over.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Whether the work is over, after at most so many seconds."""
        return self._over.wait(seconds)

    def result(self) -> T:
        """What the work returned, once it is over; raises what it raised."""
        self._over.wait()
        if self._errors:
            raise self._errors[0]
        return self._results[0]
