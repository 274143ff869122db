"""Section on training: the loss curves that the trainer reported."""

from __future__ import annotations

from typing import Any

from ftrun.report.charts import describe_curves, loss_chart
from ftrun.report.loss_curves import SERIES, losses
from ftrun.report.run_data import RunData


def training(run: RunData) -> dict[str, Any] | None:
    figures = [
        {
            "series": [(key, SERIES[key]) for key in curves],
            "chart": loss_chart(curves),
            "caption": f"{call}: {describe_curves(curves)}",
        }
        for call, curves in losses(run).items()
    ]
    return {"figures": figures} if figures else None
