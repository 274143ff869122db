"""Blocks that would never end, or take all memory, end with an error."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from ftrun.utils.limits import TimeLimitError, memory_limit, time_limit


def test_a_block_ends_in_time_also_if_it_catches_every_exception() -> None:
    def loop() -> None:
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(TimeLimitError), time_limit(0.2):
        loop()
    assert signal.getsignal(signal.SIGALRM) is before
    with time_limit(0.05):
        pass
    time.sleep(0.1)  # the timer is off


def test_a_block_inside_another_does_not_end_its_limit() -> None:
    def nest() -> None:
        with time_limit(5):
            pass
        time.sleep(2)

    with pytest.raises(TimeLimitError), time_limit(0.3):
        nest()


def test_other_threads_have_no_limit() -> None:
    done = []

    def work() -> None:
        with time_limit(0.01):
            time.sleep(0.05)
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


def test_memory_beyond_the_limit_is_an_error() -> None:
    with pytest.raises(MemoryError), memory_limit(50_000_000):
        bytes(200_000_000)
    assert len(bytes(200_000_000)) == 200_000_000
