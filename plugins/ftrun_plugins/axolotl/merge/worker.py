"""Merge of an adapter into its base model with axolotl."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.utils.atomic_io import read_json
from ftrun_plugins.axolotl.config.cpu_fallback import FUSED_KERNELS
from ftrun_plugins.axolotl.workspace import ADAPTER, CONFIG, MODEL, NO_TRAINING, OUT, chdir_offline, write_workspace

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.axolotl.merge.params import Params

TOKENIZER_FILES = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab*",
    "merges.txt",
    "chat_template.jinja",
)


def merge_adapter(params: Params, context: StageContext) -> None:
    """Write the merged model with the tokenizer of the adapter."""
    config = {
        **NO_TRAINING,
        "sequence_len": 512,
        **params.trainer,
        "trust_remote_code": params.trust_remote_code,
        "datasets": [{"path": "none", "type": "completion"}],
        "lora_model_dir": ADAPTER,
        **_select_merge_method(context.inputs["model"], context.inputs["adapter"]),
    }
    write_workspace(context.work, config, {MODEL: context.inputs["model"], ADAPTER: context.inputs["adapter"]})
    context.report.progress(0, None, "shards")
    with chdir_offline(context.work):
        from axolotl.cli.merge_lora import do_cli

        do_cli(config=CONFIG, lora_model_dir=ADAPTER)
    merged = context.work / OUT / "merged"
    for path in merged.iterdir():
        shutil.move(path, context.output / path.name)
    # axolotl copies the base model's tokenizer, which lacks the added tokens and the template
    for pattern in TOKENIZER_FILES:
        for path in context.inputs["adapter"].glob(pattern):
            shutil.copy(path, context.output / path.name)


def _select_merge_method(model: Path, adapter: Path) -> dict[str, Any]:
    """Return the keys that select how axolotl merges.

    A merge shard by shard finds completely trained matrices by their names in the base model's files. If these differ
    from the names in the loaded model, axolotl silently keeps the base model's matrices. An example is the head of
    GPT-NeoX, which is `embed_out` in files and `lm_head` in transformers 5. The whole model is loaded for the merge
    then, in the precision of its files.
    """
    base = read_json(model / "config.json") or {}
    saved = set((read_json(adapter / "adapter_config.json") or {}).get("modules_to_save") or ())
    if base.get("tie_word_embeddings") or saved <= _read_matrix_names(model):
        return {"merge_method": "memory_efficient"}
    dtype = base.get("dtype") or base.get("torch_dtype")
    precision = {dtype: True} if dtype in ("float16", "bfloat16") else {}
    return {"merge_method": "legacy", **precision, **dict.fromkeys(FUSED_KERNELS, False)}


def _read_matrix_names(model: Path) -> set[str]:
    """Return all parts of the names of the matrices in a model's files, such as `embed_tokens`."""
    from safetensors import safe_open

    names: set[str] = set()
    for path in model.glob("*.safetensors"):
        with safe_open(path, "numpy") as file:
            names.update(part for name in file.keys() for part in name.split("."))  # noqa: SIM118  (not a mapping)
    return names
