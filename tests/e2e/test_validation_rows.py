"""The trainer evaluates the validation rows, and the held-out rows stay unseen until the evaluations."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.workplace import Workplace, tiny_recipe

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_the_trainer_evaluates_the_validation_rows(workplace: Workplace, tiny: Path) -> None:
    tiny_recipe(workplace.folder, tiny, dataset={"split": {"validation": 0.3}}, train={"eval_steps": 2})

    workplace.run("recipe=tiny.yaml", "stages=[fetch,format,tokenize,train]")

    tokenized, trained = workplace.artifact("tokenize"), workplace.artifact("train")
    assert len((tokenized / "validation.rows.jsonl").read_text().splitlines()) > 3
    assert (tokenized / "held_out").is_dir()
    config = (trained / "axolotl.yml").read_text()
    assert "data/validation" in config
    assert "data/held_out" not in config
    assert "eval_loss" in (trained / "history.json").read_text()
