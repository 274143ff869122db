"""The rate and the time left that every stage reports, by a clock that the tests turn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun.api.context import Reporter
from ftrun.api.events import read
from ftrun.api.recent_rate import INTERVALS, SECONDS_BETWEEN_SAMPLES, RecentRate

seconds_a_step = st.floats(0.01, 1000)


class Clock:
    """The time in seconds, which stands still unless a test turns it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Reported:
    """A reporter with a clock, and what it has reported last."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self._events = Clock(), folder / "events.jsonl"
        monkeypatch.setattr("ftrun.api.context.time", SimpleNamespace(monotonic=self.clock.monotonic))
        self._reporter = Reporter("train", self._events)

    def steps(self, first: int, last: int, seconds: float, total: int = 100, unit: str = "steps") -> dict[str, Any]:
        """Report steps that take so many seconds each, as the trainer does with a value each time."""
        for step in range(first, last + 1):
            self.clock.now += seconds
            self._reporter.progress(step, total, unit, loss=1.0)
        return self.last()

    def begin(self, step: int, total: int = 100) -> None:
        self._reporter.progress(step, total, "steps")

    def last(self) -> dict[str, Any]:
        return list(read(self._events))[-1]


@pytest.fixture
def reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reported:
    return Reported(tmp_path, monkeypatch)


def run_through(rate: RecentRate, durations: Sequence[float], unit: str = "steps", now: float = 0.0) -> float:
    """Return the rate after steps of these durations in seconds, from step 0 on."""
    found = rate.update(0, unit, now)
    for step, seconds in enumerate(durations, 1):
        now += seconds
        found = rate.update(step, unit, now)
    return found


@given(slow=seconds_a_step, count=st.integers(0, 50), fast=seconds_a_step, more=st.integers(0, 50))
def test_steps_before_the_last_intervals_do_not_count(slow: float, count: int, fast: float, more: int) -> None:
    """The time left is the truth within a factor of 1.1, however slow or fast the steps before were."""
    enough = (INTERVALS + 2) * max(1, int(SECONDS_BETWEEN_SAMPLES / fast) + 2)
    rate = run_through(RecentRate(), [slow] * count + [fast] * (enough + more))
    assert 1 / 1.1 <= rate * fast <= 1.1


@given(st.lists(seconds_a_step, min_size=1, max_size=60))
def test_the_rate_is_one_that_there_was(durations: list[float]) -> None:
    rate = run_through(RecentRate(), durations)
    assert 1 / max(durations) * 0.999 <= rate <= 1 / min(durations) * 1.001


@given(st.floats(10, 1000), st.integers(2, 64), st.integers(3, 30))
def test_steps_that_come_in_bursts_have_the_rate_of_bursts(seconds: float, size: int, bursts: int) -> None:
    rate, found = RecentRate(), 0.0
    for step in range(size * bursts):
        if step % size == 0:
            found = rate.update(step, "answers", step / size * seconds)
        else:
            rate.update(step, "answers", step // size * seconds)
    assert found == pytest.approx(size / seconds)


def test_a_stall_lowers_the_rate() -> None:
    rate = RecentRate()
    assert run_through(rate, [1.0] * 30) == pytest.approx(1.0)
    assert rate.update(30, "steps", 130.0) < 0.15


def test_the_time_left_forgets_a_slow_beginning(reported: Reported) -> None:
    """Ten steps of 30 s, as while kernels are compiled, then steps of 2 s."""
    reported.begin(0)
    assert reported.steps(1, 10, seconds=30)["seconds_left"] == pytest.approx(90 * 30)
    found = reported.steps(11, 25, seconds=2)
    assert found["rate"] == pytest.approx(0.5)
    assert found["seconds_left"] == pytest.approx(75 * 2)


def test_steps_of_an_earlier_try_do_not_count(reported: Reported) -> None:
    reported.begin(60)
    assert reported.last()["seconds_left"] is None
    assert reported.steps(61, 62, seconds=4)["seconds_left"] == pytest.approx(38 * 4)


def test_another_unit_or_a_lower_step_begins_again(reported: Reported) -> None:
    reported.steps(1, 50, seconds=0.1, unit="train rows")
    assert reported.steps(51, 51, seconds=30, unit="held_out rows")["rate"] == 0
    assert reported.steps(52, 53, seconds=2, unit="held_out rows")["rate"] == pytest.approx(0.5)
    assert reported.steps(1, 1, seconds=30, unit="held_out rows")["seconds_left"] is None
    assert reported.steps(2, 3, seconds=4, unit="held_out rows")["rate"] == pytest.approx(0.25)


def test_a_step_of_half_an_hour_keeps_its_rate(reported: Reported) -> None:
    reported.begin(0)
    found = reported.steps(1, 3, seconds=1800)
    assert 1 / found["rate"] == pytest.approx(1800, rel=1e-3)
