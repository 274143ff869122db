"""A training that diverges ends at the step at which it did, and leaves no artifact."""

from __future__ import annotations

import re

import pytest

from helpers.workplace import Workplace

pytestmark = pytest.mark.e2e

DIVERGING = "train.weight_decay=1e20"  # each step multiplies the weights by -2e18


def test_a_loss_that_is_not_finite_ends_training_with_its_step(ready_to_train: Workplace) -> None:
    ended = ready_to_train.run("recipe=tiny.yaml", DIVERGING, expected=1)
    found = re.search(r"the loss is not a finite number at step (\d+)", ended.err)
    assert found, ended.err
    step = int(found[1])
    losses = ready_to_train.losses()
    assert 1 < step < 12
    assert max(losses) == step - 1, "each loss before it is reported, and none of the diverged model"
    assert 0.0 not in {loss for each in losses.values() for loss in each}
    assert not list(ready_to_train.store.glob("artifacts/train/*"))
    assert "merge" not in ready_to_train.calls("call_started")
    assert f"at step {step}" in ready_to_train.run("show", "last").out
