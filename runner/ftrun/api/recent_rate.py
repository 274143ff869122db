"""Measures the present speed of a stage, from which "s each" and the time left follow."""

from __future__ import annotations

from collections import deque

INTERVALS = 10  # that the speed is measured over
SECONDS_BETWEEN_SAMPLES = 1.0  # at least: steps that come in bursts would have any speed


class RecentRate:
    """Steps a second over the last intervals. Slow steps before them, such as compilation, do not count.

    The measurement begins again if the unit changes or the count falls. The first step that is reported is its origin,
    so a stage that resumes at a step does not count the steps of earlier tries.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=INTERVALS + 1)  # seconds and step, oldest first
        self._unit = ""
        self._step = 0.0

    def update(self, step: float, unit: str, now: float) -> float:
        """Return the steps a second after `step` is reached at `now`, in seconds of any clock; 0.0 if unknown."""
        if unit != self._unit or step < self._step:
            self._samples.clear()
        self._unit, self._step = unit, step
        if not self._samples:
            self._samples.append((now, step))
        (oldest, origin), (newest, sampled) = self._samples[0], self._samples[-1]
        if step > sampled and now - newest >= SECONDS_BETWEEN_SAMPLES:
            self._samples.append((now, step))
        return (step - origin) / (now - oldest) if now > oldest else 0.0
