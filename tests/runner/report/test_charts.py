"""Charts as SVG."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from ftrun.report.charts import Axis, interval_chart, loss_chart


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 90.0, [0, 20, 40, 60, 80]),
        (0.0, 2.16, [0, 0.5, 1, 1.5, 2, 2.5]),
        (0.0, 100_000.0, [0, 20_000, 40_000, 60_000, 80_000, 100_000]),
        (1.01, 1.02, [1.01, 1.012, 1.014, 1.016, 1.018, 1.02]),
        (3.0, 3.0, [3, 4, 5, 6]),
        (0.0, 0.0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-2.0, 1.0, [-2, -1, 0, 1]),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert Axis(low, high).round().ticks == pytest.approx(ticks) or Axis(low, high).ticks == pytest.approx(ticks)


def test_steps_are_whole() -> None:
    assert Axis(0.0, 2.0, whole=True).ticks == [0, 1, 2]


def test_a_loss_chart_has_a_line_for_each_curve_and_says_what_it_shows() -> None:
    curves = {"loss": [(step, 2.0 / step) for step in range(1, 101)], "eval_loss": [(50, 1.0), (100, 0.5)]}
    chart = ElementTree.fromstring(loss_chart(curves))
    assert chart.get("aria-label") == (
        "training loss from 2.000 at step 1 to 0.020 at step 100; "
        "held-out loss from 1.000 at step 50 to 0.500 at step 100"
    )
    lines = {line.get("class"): line.get("points", "").split() for line in chart.iter("polyline")}
    assert {name: len(points) for name, points in lines.items()} == {"line loss": 100, "line eval_loss": 2}
    assert lines["line eval_loss"] == ["500.0,500.0", "1000.0,750.0"]
    assert len(list(chart.iter("circle"))) == 2  # a hundred dots would be a band
    assert [text.text for text in chart.iter("text")][:6] == ["0", "0.5", "1", "1.5", "2", "0"]


@pytest.mark.parametrize("curve", [[(1, 0.5)], [(1, 0.0), (2, 0.0)], [(1, -3.0), (2, -1.0)], [(7, 1e-9), (9, 1e12)]])
def test_any_curve_stays_inside(curve: list[tuple[float, float]]) -> None:
    chart = ElementTree.fromstring(loss_chart({"loss": curve}))
    (line,) = chart.iter("polyline")
    numbers = [float(number) for point in line.get("points", "").split() for number in point.split(",")]
    assert all(0 <= number <= 1000 for number in numbers)


@pytest.mark.parametrize(
    ("gain", "low", "high", "dot", "whisker"),
    [
        (0.5, 0.0, 1.0, "72.32%", ("50.00%", "94.64%")),
        (-1.0, -2.0, 0.0, "27.68%", ("5.36%", "50.00%")),
        (0.0, 0.0, 0.0, "50.00%", ("50.00%", "50.00%")),
    ],
)
def test_zero_is_in_the_middle_of_an_interval_chart(
    gain: float, low: float, high: float, dot: str, whisker: tuple[str, str]
) -> None:
    chart = ElementTree.fromstring(interval_chart(gain, low, high, "better"))
    (mean,) = chart.iter("circle")
    assert mean.get("cx") == dot
    wide = next(line for line in chart.iter("line") if line.get("class") == "whisker")
    assert (wide.get("x1"), wide.get("x2")) == whisker
    assert "better" in chart.get("aria-label", "")


def test_a_chart_escapes_texts() -> None:
    evil = "\"><script>alert('x')</script>{0}&"
    assert "<script" not in interval_chart(0.5, 0.0, 1.0, evil)
    assert ElementTree.fromstring(interval_chart(0.5, 0.0, 1.0, evil)).get("aria-label", "").endswith(evil)
