"""Loss curves from what trainers tell."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ftrun.api.paths import Store
from ftrun.report.loss_curves import MAX_POINTS, curves_by_call, losses, thin
from ftrun.report.run_data import RunData
from ftrun.store.artifacts import reader
from helpers.ended_runs import call, ended_run


def told(*points: tuple[Any, Any], key: str = "loss", call: str = "train") -> list[dict[str, Any]]:
    return [{"call": call, "step": step, key: loss} for step, loss in points]


def test_each_call_and_kind_of_loss_has_its_curve() -> None:
    lines = told((1, 2.0), (2, 1.0)) + told((2, 1.5), key="eval_loss") + told((1, 9.0), call="other")
    assert curves_by_call(lines) == {
        "train": {"loss": [(1, 2.0), (2, 1.0)], "eval_loss": [(2, 1.5)]},
        "other": {"loss": [(1, 9.0)]},
    }


def test_a_step_that_was_done_again_counts_once() -> None:
    assert curves_by_call(told((1, 3.0), (2, 2.0), (3, 7.0), (2, 1.9), (3, 1.0)))["train"]["loss"] == [
        (1, 3.0),
        (2, 1.9),
        (3, 1.0),
    ]


@pytest.mark.parametrize("loss", [None, float("nan"), float("inf"), "1.0"])
def test_what_is_no_number_is_no_point(loss: object) -> None:
    assert curves_by_call(told((1, loss), (2, 1.0)))["train"]["loss"] == [(2, 1.0)]
    assert curves_by_call(told((1, loss))) == {}


@pytest.mark.parametrize("count", [1, 2, MAX_POINTS, MAX_POINTS + 1, 1001, 40_000])
def test_thinning_keeps_the_ends_and_every_peak(count: int) -> None:
    noise = random.Random(0)
    points = [(float(step), noise.random()) for step in range(count)]
    points[count // 3] = (count // 3, 50.0)
    thinned = thin(points)
    assert len(thinned) <= MAX_POINTS
    assert len(thinned) >= min(count, MAX_POINTS // 2)
    assert set(thinned) <= set(points)
    assert list(thinned) == sorted(thinned)
    assert {points[0], points[-1], points[count // 3]} <= set(thinned)


def test_a_cached_training_shows_the_trainers_own_log(store: Store, loading: Any) -> None:
    log = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}, {"step": 2, "train_runtime": 3.0}]
    run = ended_run(store, loading().recipe, [call("train")], {"train/history.json": log})
    assert losses(RunData(run, reader(store))) == {"train": {"loss": [(1, 2.0), (2, 1.0)]}}
    told_here = [("progress", "train", {"step": 1, "loss": 5.0}), ("progress", "format", {"step": 1})]
    run = ended_run(store, loading().recipe, [call("train")], {"train/history.json": log}, events=told_here)
    assert losses(RunData(run, reader(store))) == {"train": {"loss": [(1, 5.0)]}}
