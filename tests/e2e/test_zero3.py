"""Two processes share a tiny model by DeepSpeed's ZeRO 3, on the processor."""

from __future__ import annotations

import json
import os
import signal

import pytest

from helpers.workplace import SCRIPTS, Workplace, in_trainer, kill

pytestmark = pytest.mark.e2e

RECIPE = (
    "recipe=tiny.yaml",
    "evals=[held_out_loss]",
    "optimizations=[lora,zero3]",
    "resources.train.processes=2",
)


@pytest.mark.drill
def test_two_ranks_train_are_killed_are_stopped_and_merge(ready_to_train: Workplace) -> None:
    workplace = ready_to_train
    ftrun = workplace.start(*RECIPE)
    workplace.wait_for_event("progress", "train", ftrun, step=5)
    (trainer,) = workplace.stage_processes("train")
    assert len(workplace.rank_processes()) == 2
    kill(trainer)
    workplace.end(ftrun, expected=1)
    assert not workplace.rank_processes()

    ftrun = workplace.start("resume", "last")
    workplace.wait_for_event("progress", "train", ftrun, step=8)
    os.kill(ftrun.pid, signal.SIGINT)
    workplace.end(ftrun, expected=130)
    assert not workplace.rank_processes()

    workplace.run("resume", "last")
    first, second = [event["step"] for event in workplace.events() if event["kind"] == "resumed"]
    assert first == 3
    assert second >= 8
    losses = workplace.losses()
    assert sorted(losses) == list(range(1, 13))
    assert all(len(values) == 1 for values in losses.values()), f"steps that were repeated differ: {losses}"
    assert workplace.evaluation()["held_out_loss"]["gain"] > 0
    said = json.loads(in_trainer(SCRIPTS / "load_model.py", [str(workplace.artifact("merge"))]).splitlines()[-1])
    assert said == {"missing": [], "unexpected": [], "new_tokens": 2}
    assert workplace.half_artifacts() == []
