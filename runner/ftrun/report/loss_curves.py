"""Loss curves of a run: each step once, thinned without smoothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ftrun.report.run_data import RunData

SERIES = {"loss": "training", "eval_loss": "held-out"}
MOST_POINTS = 500  # of a curve

Points = Sequence[tuple[float, float]]  # step and loss
Curves = dict[str, Points]  # by the series' key


def losses(material: RunData) -> dict[str, Curves]:
    """Curves by call. A trainer whose artifact was cached told nothing in this run: its own log is taken."""
    found = curves_by_call(event for event in material.events() if event["kind"] == "progress")
    if "train" not in found:
        log = material.json("train", "history.json") or ()
        found |= curves_by_call({**line, "call": "train"} for line in log)
    return found


def curves_by_call(lines: Iterable[Mapping[str, Any]]) -> dict[str, Curves]:
    """A step that was done again, after a crash, counts as it was done the last time."""
    seen: dict[str, dict[str, dict[float, float]]] = {}
    for line in lines:
        for key in SERIES:
            if _is_finite(line.get(key)) and _is_finite(line.get("step")):
                seen.setdefault(str(line["call"]), {}).setdefault(key, {})[line["step"]] = line[key]
    return {
        call: {key: thin(sorted(found[key].items())) for key in SERIES if key in found} for call, found in seen.items()
    }


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def thin(points: Points, most: int = MOST_POINTS) -> Points:
    """The first and the last point, and the lowest and the highest of each stretch between: every peak stays."""
    if len(points) <= most:
        return points
    inner, stretches = points[1:-1], most // 2 - 1
    kept = [points[0]]
    for number in range(stretches):
        stretch = inner[len(inner) * number // stretches : len(inner) * (number + 1) // stretches]
        kept += sorted({min(stretch, key=_loss), max(stretch, key=_loss)})
    return [*kept, points[-1]]


def _loss(point: tuple[float, float]) -> float:
    return point[1]
