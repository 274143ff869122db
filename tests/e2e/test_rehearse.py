"""A rehearsal by the command line, with the real trainer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.workplace import Workplace, read_json

pytestmark = pytest.mark.e2e

STAGES = ["fetch", "format", "tokenize", "train", "merge", "parity", "generate", "score", "evaluate"]
COMMAND = (
    "recipe=llama3_1_8b_lora",  # gated, for a GPU with 80 GB
    "backend=modal",
    "evals=[exact_match]",
    "evals.exact_match.gate.min=0.9",
    "generate.engine=transformers",
    # as a recipe for more than wiring would: new tokens, learnt fast enough to tell the merged model from another
    'model.trainer.tokens=["[SQL]","[/SQL]"]',
    "optimizations.lora.lora_modules_to_save=[embed_tokens,lm_head]",
    "train.learning_rate=0.05",
    "train.warmup_steps=0",
    f"stages=[{','.join(STAGES)}]",
)


@pytest.mark.slow
def test_a_recipe_for_a_large_gpu_is_rehearsed_on_this_one(tmp_path: Path, tiny: Path) -> None:
    workplace = Workplace(tmp_path, in_process=True)
    shutil.copytree(tiny, workplace.store / "artifacts" / "fetch" / tiny.name)  # what `fetch:model` would make
    ended = workplace.run("rehearse", *COMMAND)
    (run,) = workplace.runs()
    record = read_json(run / "run.json")
    assert run.name.endswith("-llama3_1_8b_lora-rehearsal")
    assert "fetch:model" in workplace.calls("call_cached")
    finished = {call.partition(":")[0] for call in workplace.calls("call_finished")}
    assert finished == {*STAGES, "check"} - {"fetch"}
    assert sorted(workplace.losses()) == [1, 2, 3]

    told = {one["key"]: one["to"] for one in record["facts"]["rehearsal"]}
    assert told["model"] == "ftrun/tiny"
    assert told["backend.name"] == "local"
    for key in told:
        assert key in ended.out, key
    assert "bf16: auto -> false" in ended.out

    assert record["overrides"] == ["rehearse", *COMMAND]
    assert record["status"] == "gate_not_met"
    assert "evals.exact_match.gate.min" in ended.out
