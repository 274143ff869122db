"""Section on training: the loss curves that the trainer reported."""

from __future__ import annotations

from collections.abc import Iterator

from ftrun.report.charts import describe_curves, loss_chart
from ftrun.report.html import Html, element
from ftrun.report.loss_curves import SERIES, losses
from ftrun.report.run_data import RunData


def training(run: RunData) -> Iterator[Html]:
    for call, curves in losses(run).items():
        keys = (element("span", f"{SERIES[key]} loss", class_=f"key {key}") for key in curves)
        caption = element("figcaption", f"{call}: {describe_curves(curves)}", class_="note")
        yield element("figure", element("div", keys, class_="keys"), loss_chart(curves), caption)
