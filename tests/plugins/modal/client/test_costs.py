"""Prices by the table, and what a run cost by the clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftrun.api.events import append
from ftrun.api.stage_call import EnvironmentRef, ResourceRequest, StageCall
from ftrun_plugins.modal.client.costs import estimate, price_of, worked_seconds
from ftrun_plugins.modal.options import Prices

PRICES = Prices(date="2026-06-01", gpu={"H100": 3.6, "L4": 0.72}, cpu=0.036)


def call(label: str, work: ResourceRequest) -> StageCall:
    return StageCall(
        stage="train",
        version=1,
        params={},
        environment=EnvironmentRef(name="trainer"),
        label=label,
        implementation="a:B",
        work=work,
    )


@pytest.mark.parametrize(
    ("work", "low", "high", "unknown"),
    [
        (ResourceRequest(cpu=2), 0.00002, 0.00002, ()),
        (ResourceRequest(cpu=0, gpus=2, gpu=("H100:2",)), 0.002, 0.002, ()),
        (ResourceRequest(cpu=0, gpus=1, gpu=("H100", "L4")), 0.0002, 0.001, ()),
        (ResourceRequest(cpu=0, gpus=1, gpu=("B300",)), 0.0, 0.0, ("B300",)),
        (ResourceRequest(cpu=1, memory=8), 0.00001, 0.00001, ("memory",)),
    ],
)
def test_a_container_costs_what_its_parts_cost(
    work: ResourceRequest, low: float, high: float, unknown: tuple[str, ...]
) -> None:
    price = price_of(work, PRICES)
    assert (price.low, price.high) == pytest.approx((low, high))
    assert price.unknown == unknown


def test_an_estimate_says_what_it_does_not_know() -> None:
    known, new = call("train", ResourceRequest(cpu=0, gpus=1, gpu=("H100",))), call("merge", ResourceRequest(cpu=1))
    whole = estimate([known], {"train": 1000.0}, PRICES, ())
    assert whole.low == pytest.approx(0.7)
    assert whole.high == pytest.approx(1.56)
    half = estimate([known, new], {"train": 1000.0}, PRICES, ())
    assert (half.low, half.high) == (whole.low, None)
    assert half.calls[1].seconds is None


def test_only_the_time_that_containers_worked_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events = []
    for at, kind in ((10, "call_started"), (40, "progress"), (1000, "call_started"), (1005, "artifact")):
        event = append(path, kind, "train")
        events.append({**event, "at": at})
    assert worked_seconds(events) == 35
    assert worked_seconds([]) == 0
