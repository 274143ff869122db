"""Loss curves of a run, with one point per step, reduced without smoothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ftrun.report.run_data import RunData

SERIES = {"loss": "training", "eval_loss": "held-out"}
MAX_POINTS = 500  # of a curve

Points = Sequence[tuple[float, float]]  # step and loss
Curves = dict[str, Points]  # by key of the series


def losses(run: RunData) -> dict[str, Curves]:
    """Return the loss curves of each call.

    If the artifact of the trainer was cached, this run has no progress events of it, and its own log is used.
    """
    curves = curves_by_call(event for event in run.events() if event["kind"] == "progress")
    if "train" not in curves:
        log = run.json("train", "history.json") or ()
        curves |= curves_by_call({**line, "call": "train"} for line in log)
    return curves


def curves_by_call(lines: Iterable[Mapping[str, Any]]) -> dict[str, Curves]:
    """Return the loss curves in log lines by call.

    If a step occurs several times, e.g. because it was repeated after a crash, its last value is used.
    """
    curves: dict[str, dict[str, dict[float, float]]] = {}
    for line in lines:
        for key in SERIES:
            if _is_finite(line.get(key)) and _is_finite(line.get("step")):
                curves.setdefault(str(line["call"]), {}).setdefault(key, {})[line["step"]] = line[key]
    return {
        call: {key: thin(sorted(series[key].items())) for key in SERIES if key in series}
        for call, series in curves.items()
    }


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def thin(points: Points, max_points: int = MAX_POINTS) -> Points:
    """Reduce a curve to at most `max_points` points.

    Keeps the first and the last point, and the lowest and the highest point of each segment between them, so that no
    peak is lost.
    """
    if len(points) <= max_points:
        return points
    inner, segments = points[1:-1], max_points // 2 - 1
    reduced = [points[0]]
    for number in range(segments):
        segment = inner[len(inner) * number // segments : len(inner) * (number + 1) // segments]
        reduced += sorted({min(segment, key=_loss), max(segment, key=_loss)})
    return [*reduced, points[-1]]


def _loss(point: tuple[float, float]) -> float:
    return point[1]
