"""Charts as inline SVG.

Positions are percentages and curves are in a stretched inner SVG, so the text keeps its size at any width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ftrun.report.loss_curves import SERIES, Curves, Points
from ftrun.report.number_format import number

if TYPE_CHECKING:
    from markupsafe import Markup

INNER_SIZE = 1000  # width and height of the stretched inner SVG, in its units
MAX_DOTS = 40  # a curve with more points has no dots
MAX_THICK_POINTS = 150  # a curve with more points is a thin line
MARGIN = 1.12  # width of an interval chart relative to the interval


def loss_chart(curves: Curves) -> Markup:
    """Return a chart of losses over steps."""
    points = [point for curve in curves.values() for point in curve]
    x_axis = Axis(0.0, max(step for step, _ in points), whole=True)
    low, high = min(loss for _, loss in points), max(loss for _, loss in points)
    y_axis = Axis(0.0 if 0 <= low <= high / 2 else low, high).round()
    lines = (_line(key, curve, x_axis, y_axis) for key, curve in curves.items())
    stretched = _element(
        "svg", *lines, viewBox=f"0 0 {INNER_SIZE} {INNER_SIZE}", preserveAspectRatio="none", width="100%", height="100%"
    )
    dots = (dot for key, curve in curves.items() for dot in _dots(key, curve, x_axis, y_axis))
    return _element(
        "svg", *_grid(x_axis, y_axis), stretched, *dots, class_="plot", role="img", aria_label=describe_curves(curves)
    )


def describe_curves(curves: Curves) -> str:
    """Return a text description of a loss chart, for screen readers."""
    return "; ".join(
        f"{SERIES[key]} loss from {number(points[0][1])} at step {points[0][0]:,.0f} "
        f"to {number(points[-1][1])} at step {points[-1][0]:,.0f}"
        for key, points in curves.items()
    )


class Axis:
    """Axis with about five ticks at round numbers."""

    def __init__(self, low: float, high: float, whole: bool = False) -> None:
        self.low, self.high = low, high if high > low else low + (abs(low) or 1.0)
        rough = (self.high - self.low) / 5
        size = 10.0 ** math.floor(math.log10(rough))
        step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
        self._step = max(1.0, step) if whole else step

    def round(self) -> Axis:
        """Extend the axis to the next ticks and return it."""
        self.low = math.floor(self.low / self._step) * self._step
        self.high = math.ceil(self.high / self._step) * self._step
        return self

    @property
    def ticks(self) -> list[float]:
        first, last = math.ceil(self.low / self._step), math.floor(self.high / self._step)
        return [round(count * self._step, 12) for count in range(first, last + 1)]

    def share(self, value: float) -> float:
        """Return the position of a value on the axis, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)


def _grid(x_axis: Axis, y_axis: Axis) -> Iterator[Markup]:
    for tick in y_axis.ticks:
        y = percent(1 - y_axis.share(tick))
        yield _element("line", x1="0", x2="100%", y1=y, y2=y, class_="grid")
        yield _element("text", f"{tick:g}", x="0", y=y, dx="-0.6em", dy="0.35em", class_="end")
    for tick in x_axis.ticks:
        share = x_axis.share(tick)
        label = _element("text", f"{tick:,.0f}", y="1.8em", class_="end" if share > 0.96 else "middle")
        yield _element("svg", _element("line", y2="6", class_="grid"), label, x=percent(share), y="100%")
    yield _element("text", "loss", x="0", y="0", dx="-0.6em", dy="-1em", class_="end")
    yield _element("text", "step", x="100%", y="100%", dy="3.2em", class_="end")


def _line(key: str, points: Points, x_axis: Axis, y_axis: Axis) -> Markup:
    positions = ((x_axis.share(step), 1 - y_axis.share(loss)) for step, loss in points)
    text = " ".join(f"{x * INNER_SIZE:.1f},{y * INNER_SIZE:.1f}" for x, y in positions)
    return _element("polyline", points=text, class_=f"line {key}{' dense' if len(points) > MAX_THICK_POINTS else ''}")


def _dots(key: str, points: Points, x_axis: Axis, y_axis: Axis) -> Iterator[Markup]:
    for step, loss in points if len(points) <= MAX_DOTS else ():
        x, y = percent(x_axis.share(step)), percent(1 - y_axis.share(loss))
        yield _element("circle", cx=x, cy=y, r="3", class_=f"dot {key}")


def interval_chart(gain: float, low: float, high: float, verdict: str) -> Markup:
    """Return a chart of a gain with its interval, with zero in the middle and a scale that fits the interval.

    The tuned model is better if the gain is right of zero.
    """
    reach = max(abs(low), abs(high), abs(gain)) * MARGIN or 1.0

    def x(value: float) -> str:
        return percent(0.5 + value / reach / 2)

    description = (
        f"gain {number(gain, sign=True)}, interval {number(low, sign=True)} to {number(high, sign=True)}: {verdict}"
    )
    marks = [
        _element("line", x1="0", x2="100%", y1="2em", y2="2em", class_="grid"),
        _element("line", x1="50%", x2="50%", y1="0", y2="2.4em", class_="zero"),
        _element("line", x1=x(low), x2=x(high), y1="1em", y2="1em", class_="whisker"),
        *(_element("line", x1=x(end), x2=x(end), y1="0.6em", y2="1.4em", class_="whisker") for end in (low, high)),
        _element("circle", cx=x(gain), cy="1em", r="5", class_="mean"),
        _element("text", "worse", x="0", y="3.4em"),
        _element("text", "0", x="50%", y="3.4em", class_="middle"),
        _element("text", "better", x="100%", y="3.4em", class_="end"),
    ]
    return _element("svg", *marks, class_="interval", role="img", aria_label=description)


def _element(name: str, /, *content: str, **attributes: str) -> Markup:
    """Return an SVG element; all text is escaped. `class_` is the attribute `class`, `aria_label` is `aria-label`."""
    from markupsafe import Markup  # only when a page is made

    pairs = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    start = Markup("").join(Markup(' {}="{}"').format(*pair) for pair in pairs)
    return Markup("<{0}{1}>{2}</{0}>").format(name, start, Markup("").join(content))


def percent(share: float) -> str:
    return f"{share * 100:.2f}%"
