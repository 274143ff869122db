"""A trainer that resumes at its last step does no other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ftrun_plugins.axolotl.train.last_step import stop_after_last_step


class Trainer:
    """The loop of `transformers.Trainer`, which asks for its end after a step."""

    def __init__(self, resumed_at: int) -> None:
        self.state = SimpleNamespace(global_step=resumed_at, max_steps=6)
        self.control = SimpleNamespace(should_training_stop=False)

    def _run_epoch(self, **_: Any) -> None:
        for _step in range(4):
            self.state.global_step += 1
            self.control.should_training_stop = self.state.global_step >= self.state.max_steps
            if self.control.should_training_stop:
                return

    def train(self) -> int:
        for epoch in range(3):
            self._run_epoch(epoch=epoch)
            if self.control.should_training_stop:
                break
        return int(self.state.global_step)


@pytest.mark.parametrize(("resumed_at", "steps"), [(0, 6), (4, 6), (6, 6), (7, 7)])
def test_no_step_follows_the_last(resumed_at: int, steps: int) -> None:
    trainer = Trainer(resumed_at)
    stop_after_last_step(trainer)
    assert trainer.train() == steps
    assert trainer.control.should_training_stop
