"""A training that takes steps but changes no weight fails, in one process and in several."""

from __future__ import annotations

import pytest

from helpers.workplace import Workplace

pytestmark = pytest.mark.e2e

TOO_SMALL = ("train.learning_rate=1e-60", "train.max_steps=2", "train.save_steps=1", "train.warmup_steps=0")


def test_a_training_that_changes_no_weight_fails(ready_to_train: Workplace) -> None:
    """Of LoRA, also the matrices that begin at 0 stay as they are."""
    ended = ready_to_train.run("recipe=tiny.yaml", *TOO_SMALL, expected=1)
    assert "[not-trained]" in ended.err
    assert "2 steps" in ended.err
    assert not list(ready_to_train.store.glob("artifacts/train/*"))

    resumed = ready_to_train.run("resume", "last", expected=1)
    assert "[not-trained]" in resumed.err, (
        "the weights are compared with those before the first step, not at the resume"
    )
