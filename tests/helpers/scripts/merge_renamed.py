"""Merges an adapter that holds whole matrices into a model whose files name them otherwise than transformers does.

    trainer/bin/python merge_renamed.py RUNNER PLUGINS TOKENIZER FOLDER

Prints how far the merged model is from base model and adapter, and how far these are from the base model alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, GPTNeoXConfig, GPTNeoXForCausalLM

SAVED = ["embed_in", "lm_head"]


def main() -> None:
    sys.path[:0] = sys.argv[1:3]
    tokenizer, folder = AutoTokenizer.from_pretrained(sys.argv[3]), Path(sys.argv[4])
    model, adapter, merged, work = (folder / name for name in ("model", "adapter", "merged", "work"))
    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    base = GPTNeoXForCausalLM(GPTNeoXConfig(vocab_size=len(tokenizer), **small)).to(torch.bfloat16)
    base.save_pretrained(model)
    tokenizer.save_pretrained(model)
    tuned = get_peft_model(base, LoraConfig(r=4, target_modules=["query_key_value"], modules_to_save=SAVED))
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if weight.requires_grad and "lora_A" not in name:
                weight.add_(torch.randn_like(weight) * 0.1)
    tuned.save_pretrained(adapter)
    merged.mkdir()
    _merge(model, adapter, merged, work)
    alone, both, after = (_logits(place) for place in ((model, None), (model, adapter), (merged, None)))
    with safe_open(next(merged.glob("*.safetensors")), "pt") as file:
        kinds = sorted({file.get_slice(name).get_dtype() for name in file.keys()})  # noqa: SIM118
    distances = {"merged": (after - both).abs().max().item(), "base": (alone - both).abs().max().item()}
    print(json.dumps({**distances, "kinds": kinds}))


def _merge(model: Path, adapter: Path, merged: Path, work: Path) -> None:
    from ftrun.api.context import Reporter, StageContext
    from ftrun_plugins.axolotl.merge.stage import Merge

    params = {"trainer": {"adapter": "lora", "lora_modules_to_save": SAVED}, "trust_remote_code": False}
    context = StageContext(
        output=merged,
        work=work,
        inputs={"model": model, "adapter": adapter},
        files={},
        report=Reporter("merge", work.with_suffix(".jsonl")),
    )
    Merge().run(SimpleNamespace(params=params), context)


def _logits(place: tuple[Path, Path | None]) -> Any:
    model: Any = AutoModelForCausalLM.from_pretrained(place[0], dtype=torch.float32)
    if place[1] is not None:
        model = PeftModel.from_pretrained(model, place[1])
    with torch.no_grad():
        return model.eval()(torch.arange(3, 60)[None]).logits


if __name__ == "__main__":
    main()
