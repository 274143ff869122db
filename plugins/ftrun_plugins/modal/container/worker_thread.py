"""Work in a thread, because Modal raises preemption and cancellation as exceptions in the main thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class WorkerThread(Generic[T]):
    """Thread that runs `work`.

    An event marks the end of the work, because `Thread.join` is not safe here: after an exception interrupts it, it
    considers the thread ended (CPython 3.11, `_wait_for_tstate_lock`).
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._ended = threading.Event()
        self._results: list[T] = []
        self._errors: list[BaseException] = []
        threading.Thread(target=self._run, name="work").start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # `result` raises it
            self._errors.append(error)
        finally:
            self._ended.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end of the work, at most `seconds`, and return whether it has ended."""
        return self._ended.wait(seconds)

    def result(self) -> T:
        """Wait for the end of the work, and return its result or raise its exception."""
        self._ended.wait()
        if self._errors:
            raise self._errors[0]
        return self._results[0]
