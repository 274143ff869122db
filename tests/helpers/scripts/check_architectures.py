"""Says which names of a trainer configuration its model's architecture has not, and which kernels do not fit it.

    trainer/bin/python check_architectures.py CASES.json

A case is {"architecture": transformers' name of it, "config": trainer keys, "kernels": whether axolotl turns its
kernels on by itself}. Prints one list of faults a case.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from axolotl.monkeypatch.lora_kernels import patch_self_attn_lora
from axolotl.utils.dict import DictDefault
from transformers import AutoConfig, AutoModelForCausalLM


def main() -> None:
    print(json.dumps([list(faults(**case)) for case in json.loads(Path(sys.argv[1]).read_text())]))


def faults(architecture: str, config: dict[str, Any], kernels: bool) -> Iterator[str]:
    small = AutoConfig.for_model(architecture, num_hidden_layers=1)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(small)
    linear = {name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    targets = config.get("lora_target_modules") or []
    for target in [targets] if isinstance(targets, str) else targets:
        if not any(name == target or name.endswith(f".{target}") for name in linear):
            yield f"lora_target_modules: {target} is none of its linear layers"
    saved = set(config.get("lora_modules_to_save") or ())
    yield from (f"lora_modules_to_save: it has no {name}" for name in sorted(saved - names))
    ends = {name.rpartition(".")[2] for name, module in model.named_modules() if module in _ends(model)}
    if config.get("tokens") and saved and not ends <= saved:
        yield f"lora_modules_to_save: tokens are added, and {', '.join(sorted(ends - saved))} is not in it"
    if kernels or config.get("lora_qkv_kernel") or config.get("lora_o_kernel"):
        try:
            with tempfile.TemporaryDirectory() as folder:
                small.save_pretrained(folder)
                patch_self_attn_lora(DictDefault({"base_model": folder}))
        except ValueError as error:
            yield str(error)


def _ends(model: Any) -> tuple[Any, Any]:
    return model.get_input_embeddings(), model.get_output_embeddings()


if __name__ == "__main__":
    main()
