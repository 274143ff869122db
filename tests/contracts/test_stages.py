"""ftrun's own stages keep the contract that a third party's tests inherit."""

from __future__ import annotations

import json
from typing import Any

from ftrun.api.recipe import STAGES
from ftrun.plugins.manager import plugins
from ftrun.testing import StageContract
from ftrun_plugins.axolotl.check.stage import Check
from ftrun_plugins.axolotl.merge.stage import Merge
from ftrun_plugins.axolotl.tokenize.stage import Tokenize
from ftrun_plugins.axolotl.train.stage import Train
from ftrun_plugins.data.format.stage import Format
from ftrun_plugins.evaluation.evaluate.stage import Evaluate
from ftrun_plugins.evaluation.generate.stage import Generate
from ftrun_plugins.evaluation.lm_eval.stage import LmEvalStage
from ftrun_plugins.evaluation.loss.stage import Loss
from ftrun_plugins.evaluation.score.stage import Score
from ftrun_plugins.models.stage import Fetch
from ftrun_plugins.parity.stage import Parity

TURNS = [{"role": "user", "content": "1 + 1?"}, {"role": "assistant", "content": "2"}]
RECIPE: dict[str, Any] = {
    "defaults": [
        {"override /model": "smollm2_135m_instruct"},
        {"override /dataset": "jsonl_chat"},
        {"override /optimizations": ["lora"]},
        {"override /evals": ["exact_match", "held_out_loss", "lm_eval"]},
    ],
    "dataset": {"source": {"path": "rows.jsonl"}, "split": {"held_out": 0.2}},
    "evals": {"lm_eval": {"task": "gsm8k"}},
    "train": {"sequence_len": 512, "micro_batch_size": 2, "num_epochs": 1, "learning_rate": 1e-3},
    "stages": [*STAGES],
}


class OwnStage(StageContract):
    recipe = RECIPE
    files = {"rows.jsonl": "".join(json.dumps({"messages": TURNS, "n": n}) + "\n" for n in range(20))}
    do_not_matter = ("serve=vllm", "resources.train.timeout=99")


class TestFetch(OwnStage):
    stage = Fetch
    matter = ("model.weights.file=another.gguf", "model.weights.dtype=float32")
    do_not_matter = ("train.learning_rate=1",)


class TestFormat(OwnStage):
    stage = Format
    matter = ("dataset.split.seed=1", "dataset.formatter.name=completion", "dataset.on_bad_row=skip")
    runs = True


class TestTokenize(OwnStage):
    stage = Tokenize
    matter = ("train.sequence_len=256", "dataset.max_cut=0.5")
    do_not_matter = ("train.learning_rate=1", "evals.exact_match.ignore_case=true")


class TestCheck(OwnStage):
    stage = Check
    matter = ("train.learning_rate=1", "optimizations.lora.lora_r=4", "resources.train.processes=2")
    do_not_matter = ("dataset.split.seed=1", "generate.max_new_tokens=3")


class TestTrain(OwnStage):
    stage = Train
    matter = ("train.learning_rate=1", "optimizations.lora.lora_r=4", "dataset.split.seed=1")
    do_not_matter = ("train.logging_steps=7", "train.save_total_limit=9", "train.use_tensorboard=true")


class TestMerge(OwnStage):
    stage = Merge
    matter = ("train.learning_rate=1",)


class TestParity(OwnStage):
    stage = Parity
    matter = ("train.learning_rate=1",)


class TestGenerate(OwnStage):
    stage = Generate
    matter = ("generate.max_new_tokens=3", "generate.seed=1")
    do_not_matter = ("evals.exact_match.ignore_case=true",)


class TestLoss(OwnStage):
    stage = Loss
    matter = ("train.learning_rate=1", "train.sequence_len=256")
    do_not_matter = ("generate.max_new_tokens=3",)


class TestLmEval(OwnStage):
    stage = LmEvalStage
    matter = ("evals.lm_eval.limit=3", "evals.lm_eval.task=mmlu")
    do_not_matter = ("generate.max_new_tokens=3",)


class TestScore(OwnStage):
    stage = Score
    matter = ("evals.exact_match.ignore_case=true",)
    do_not_matter = ("evals.exact_match.gate={min: 0.5}",)


class TestEvaluate(OwnStage):
    stage = Evaluate
    matter = ("evals.exact_match.gate={min: 0.5}",)


def test_each_registered_stage_is_tested_here() -> None:
    tested = {contract.stage for contract in OwnStage.__subclasses__()}
    own = [part.cls for part in plugins().of_kind("stage").values() if part.distribution == "ftrun"]
    assert [cls.__name__ for cls in own if cls not in tested] == []
