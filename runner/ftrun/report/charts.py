"""Charts as inline SVG whose letters keep their size at any width: places in percent, curves in a stretched inside."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ftrun.report.html import Html, element
from ftrun.report.loss_curves import SERIES, Curves, Points
from ftrun.report.number_format import number

INSIDE = 1000  # units of the stretched inside, both ways
MOST_DOTS = 40  # a curve with more points is a line alone
DENSE = 150  # a curve with more points is a thin line
ROOM = 1.12  # of an interval's chart, beside the interval


def loss_chart(curves: Curves) -> Html:
    """Losses over steps."""
    points = [point for curve in curves.values() for point in curve]
    across = Axis(0.0, max(step for step, _ in points), whole=True)
    low, high = min(loss for _, loss in points), max(loss for _, loss in points)
    up = Axis(0.0 if 0 <= low <= high / 2 else low, high).rounded()
    lines = (_line(key, curve, across, up) for key, curve in curves.items())
    stretched = element(
        "svg", lines, viewBox=f"0 0 {INSIDE} {INSIDE}", preserveAspectRatio="none", width="100%", height="100%"
    )
    dots = (dot for key, curve in curves.items() for dot in _dots(key, curve, across, up))
    return element(
        "svg", _grid(across, up), stretched, dots, class_="plot", role="img", aria_label=describe_curves(curves)
    )


def describe_curves(curves: Curves) -> str:
    """What the chart shows, for whoever cannot see it."""
    return "; ".join(
        f"{SERIES[key]} loss from {number(points[0][1])} at step {points[0][0]:,.0f} "
        f"to {number(points[-1][1])} at step {points[-1][0]:,.0f}"
        for key, points in curves.items()
    )


class Axis:
    """One axis, with about five round ticks."""

    def __init__(self, low: float, high: float, whole: bool = False) -> None:
        self.low, self.high = low, high if high > low else low + (abs(low) or 1.0)
        rough = (self.high - self.low) / 5
        size = 10.0 ** math.floor(math.log10(rough))
        step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
        self._step = max(1.0, step) if whole else step

    def rounded(self) -> Axis:
        """The same axis from tick to tick."""
        self.low = math.floor(self.low / self._step) * self._step
        self.high = math.ceil(self.high / self._step) * self._step
        return self

    @property
    def ticks(self) -> list[float]:
        first, last = math.ceil(self.low / self._step), math.floor(self.high / self._step)
        return [round(count * self._step, 12) for count in range(first, last + 1)]

    def share(self, value: float) -> float:
        """Where a value is, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)


def _grid(across: Axis, up: Axis) -> Iterator[Html]:
    for tick in up.ticks:
        y = percent(1 - up.share(tick))
        yield element("line", x1="0", x2="100%", y1=y, y2=y, class_="grid")
        yield element("text", f"{tick:g}", x="0", y=y, dx="-0.6em", dy="0.35em", class_="end")
    for tick in across.ticks:
        share = across.share(tick)
        label = element("text", f"{tick:,.0f}", y="1.8em", class_="end" if share > 0.96 else "middle")
        yield element("svg", element("line", y2="6", class_="grid"), label, x=percent(share), y="100%")
    yield element("text", "loss", x="0", y="0", dx="-0.6em", dy="-1em", class_="end")
    yield element("text", "step", x="100%", y="100%", dy="3.2em", class_="end")


def _line(key: str, points: Points, across: Axis, up: Axis) -> Html:
    places = " ".join(f"{across.share(step) * INSIDE:.1f},{(1 - up.share(loss)) * INSIDE:.1f}" for step, loss in points)
    return element("polyline", points=places, class_=f"line {key}{' dense' if len(points) > DENSE else ''}")


def _dots(key: str, points: Points, across: Axis, up: Axis) -> Iterator[Html]:
    for step, loss in points if len(points) <= MOST_DOTS else ():
        x, y = percent(across.share(step)), percent(1 - up.share(loss))
        yield element("circle", cx=x, cy=y, r="3", class_=f"dot {key}")


def interval_chart(gain: float, low: float, high: float, verdict: str) -> Html:
    """A gain with its interval around zero, on a scale of its own: right of zero the tuned model is better."""
    reach = max(abs(low), abs(high), abs(gain)) * ROOM or 1.0

    def x(value: float) -> str:
        return percent(0.5 + value / reach / 2)

    words = f"gain {number(gain, sign=True)}, interval {number(low, sign=True)} to {number(high, sign=True)}: {verdict}"
    marks = [
        element("line", x1="0", x2="100%", y1="2em", y2="2em", class_="grid"),
        element("line", x1="50%", x2="50%", y1="0", y2="2.4em", class_="zero"),
        element("line", x1=x(low), x2=x(high), y1="1em", y2="1em", class_="whisker"),
        *(element("line", x1=x(end), x2=x(end), y1="0.6em", y2="1.4em", class_="whisker") for end in (low, high)),
        element("circle", cx=x(gain), cy="1em", r="5", class_="mean"),
        element("text", "worse", x="0", y="3.4em"),
        element("text", "0", x="50%", y="3.4em", class_="middle"),
        element("text", "better", x="100%", y="3.4em", class_="end"),
    ]
    return element("svg", marks, class_="interval", role="img", aria_label=words)


def percent(share: float) -> str:
    return f"{share * 100:.2f}%"
