"""Recent speed of a stage, used to show the time per step and the remaining time."""

from __future__ import annotations

from collections import deque

__all__ = ["INTERVALS", "SECONDS_BETWEEN_SAMPLES", "RecentRate"]

INTERVALS = 10  # number of intervals over which the speed is measured
SECONDS_BETWEEN_SAMPLES = 1.0  # minimum; steps that arrive in bursts would give wrong speeds


class RecentRate:
    """Steps per second over the last intervals. Slow steps before them, such as compilation, do not count.

    The measurement restarts if the unit changes or the step decreases. It starts at the first reported step, so that
    a resumed stage does not count the steps of earlier attempts.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=INTERVALS + 1)  # seconds and step, oldest first
        self._unit = ""
        self._step = 0.0

    def update(self, step: float, unit: str, now: float) -> float:
        """Add a step, reached at `now` in seconds of any clock. Return the steps per second, 0.0 if unknown."""
        if unit != self._unit or step < self._step:
            self._samples.clear()
        self._unit, self._step = unit, step
        if not self._samples:
            self._samples.append((now, step))
        (oldest, origin), (newest, sampled) = self._samples[0], self._samples[-1]
        if step > sampled and now - newest >= SECONDS_BETWEEN_SAMPLES:
            self._samples.append((now, step))
        return (step - origin) / (now - oldest) if now > oldest else 0.0
