"""The stage `merge`: axolotl merges the adapter into the base model, shard by shard where it can."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftrun.api.recipe import Frozen
from ftrun.utils.atomic_io import read_json
from ftrun_plugins.axolotl.config.build import build_trainer_config
from ftrun_plugins.axolotl.config.cpu_fallback import FUSED_KERNELS
from ftrun_plugins.axolotl.workspace import ADAPTER, CONFIG, MODEL, NO_TRAINING, OUT, chdir_offline, write_workspace

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall
    from ftrun.planning.planner import Planner

TOKENIZER_FILES = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab*",
    "merges.txt",
    "chat_template.jinja",
)
# Of the trainer's keys only these matter to a merge; the others would not change it but would change its key.
KEYS = (
    "adapter",
    "lora_r",
    "lora_alpha",
    "special_tokens",
    "tokens",
    "lora_modules_to_save",  # axolotl refuses added tokens without it, also where it only merges
    "tokenizer_type",
    "model_type",
    "peft_use_rslora",
    "peft_use_dora",
)


class Params(Frozen):
    """The adapter's kind; its sizes are read from the adapter itself."""

    trainer: dict[str, Any]
    trust_remote_code: bool


class Merge:
    """No call where the whole model was trained: then the trained model is merged already."""

    name: ClassVar[str] = "merge"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "trainer"

    def plan(self, recipe: Recipe, planning: Planner) -> Sequence[StageCall]:
        train, model = planning.find("train"), planning.find("fetch:model")
        values = build_trainer_config(recipe).train_values()
        if train is None or model is None or not values.get("adapter"):
            return []
        trainer = {key: values[key] for key in KEYS if key in values}
        trainer["adapter"] = "lora"  # a quantized base was only for training: the merge is into the full weights
        params = Params(trainer=trainer, trust_remote_code=recipe.model.trust_remote_code)
        return [
            planning.call(self, params, inputs={"model": model, "adapter": train}, cpu=planning.cores, preloaded=True)
        ]

    def run(self, call: StageCall, context: StageContext) -> None:
        params = Params.model_validate(call.params)
        shutil.rmtree(context.work / OUT, ignore_errors=True)
        config = {
            **NO_TRAINING,
            "sequence_len": 512,
            **params.trainer,
            "trust_remote_code": params.trust_remote_code,
            "datasets": [{"path": "none", "type": "completion"}],
            "lora_model_dir": ADAPTER,
            **_method(context.inputs["model"], context.inputs["adapter"]),
        }
        write_workspace(context.work, config, {MODEL: context.inputs["model"], ADAPTER: context.inputs["adapter"]})
        context.report.progress(0, None, "shards")
        with chdir_offline(context.work):
            from axolotl.cli.merge_lora import do_cli

            do_cli(config=CONFIG, lora_model_dir=ADAPTER)
        merged = context.work / OUT / "merged"
        for path in merged.iterdir():
            shutil.move(path, context.output / path.name)
        # axolotl copies the base model's tokenizer; added tokens and the template are in the trained one
        for pattern in TOKENIZER_FILES:
            for path in context.inputs["adapter"].glob(pattern):
                shutil.copy(path, context.output / path.name)


def _method(model: Path, adapter: Path) -> dict[str, Any]:
    """The keys that choose how axolotl merges.

    Shard by shard, it puts matrices that were trained whole in place by the names in the base model's files. Where
    those are others than the loaded model's, as of GPT-NeoX's head (`embed_out`, and `lm_head` in transformers 5), it
    would leave the base model's silently. Then the model is loaded as a whole, in the precision of its files.
    """
    base = read_json(model / "config.json") or {}
    saved = set((read_json(adapter / "adapter_config.json") or {}).get("modules_to_save") or ())
    if base.get("tie_word_embeddings") or saved <= _names_in_files(model):
        return {"merge_method": "memory_efficient"}
    dtype = base.get("dtype") or base.get("torch_dtype")
    precision = {dtype: True} if dtype in ("float16", "bfloat16") else {}
    return {"merge_method": "legacy", **precision, **dict.fromkeys(FUSED_KERNELS, False)}


def _names_in_files(model: Path) -> set[str]:
    """The parts of the names of a model's matrices, such as `embed_tokens`."""
    from safetensors import safe_open

    found: set[str] = set()
    for path in model.glob("*.safetensors"):
        with safe_open(path, "numpy") as file:
            found.update(part for name in file.keys() for part in name.split("."))  # noqa: SIM118  (it is no mapping)
    return found
