"""Signals that stop a run, and those that do not."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from ftrun.api.cancellation import StopSignal, stop_on_signals


@pytest.fixture(autouse=True)
def hangup() -> Iterator[None]:
    original = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under `nohup`
    yield
    signal.signal(signal.SIGHUP, original)


def test_a_second_ctrl_c_stops_at_once() -> None:
    stop = StopSignal()
    with stop_on_signals(stop):
        for level in (1, 2, 2):
            os.kill(os.getpid(), signal.SIGINT)
            assert stop.level == level


def test_a_closed_terminal_stops_cleanly_however_often_it_says_so() -> None:
    stop = StopSignal()
    with stop_on_signals(stop):
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop.level == 1


def test_nohup_is_respected() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop = StopSignal()
    with stop_on_signals(stop):
        os.kill(os.getpid(), signal.SIGHUP)
        assert stop.level == 0
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_handlers_are_restored() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with stop_on_signals(StopSignal()):
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
