"""Packed rows: the same packs, and so the same number of steps, in every process that trains the same recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.workplace import QUICKSTART_DATA, Workplace, tiny_recipe

pytestmark = pytest.mark.e2e
PACKED: dict[str, Any] = {"sequence_len": 512, "micro_batch_size": 1, "num_epochs": 1, "max_steps": None}
OVERRIDES = ("recipe=tiny.yaml", "optimizations=[lora,sample_packing]", "stages=[fetch,format,tokenize,train]")


@pytest.mark.drill
def test_two_trainings_of_one_packed_recipe_are_one(workplace: Workplace, tiny: Path) -> None:
    tiny_recipe(workplace.folder, tiny, train=PACKED)
    rows = (QUICKSTART_DATA / "train.jsonl").read_text().splitlines(keepends=True)[:300]
    (workplace.folder / "train.jsonl").write_text("".join(rows))
    results = []
    for _ in range(2):
        workplace.run(*OVERRIDES)
        adapter = workplace.artifact("train") / "adapter_model.safetensors"
        results.append((workplace.losses(), adapter.read_bytes()))
        adapter.unlink()  # the artifact is damaged: the next run trains again
    assert results[0] == results[1]
    assert len(results[0][0]) > 20
