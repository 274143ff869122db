"""Raises errors of the trainer's libraries on tiny models and prints how ftrun explains each, as JSON by name.

trainer/bin/python raise_known_errors.py FOLDER
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    folder = Path(sys.argv[1])
    sys.argv = sys.argv[:1]
    import torch
    from deepspeed.runtime.fp16.loss_scaler import DynamicLossScaler
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, TrainingArguments

    logging.disable()

    def tiny(width: int = 32) -> Any:
        sizes = {"hidden_size": width, "intermediate_size": 64, "num_hidden_layers": 1}
        return LlamaForCausalLM(LlamaConfig(vocab_size=64, num_attention_heads=2, num_key_value_heads=2, **sizes))

    def saved(name: str, **changes: Any) -> Path:
        tiny().save_pretrained(folder / name)
        config = folder / name / "config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), **changes}))
        return folder / name

    def load(path: Path, **options: Any) -> Any:
        return AutoModelForCausalLM.from_pretrained(path, **options)

    def cut(name: str, size: int) -> Path:
        weights = saved(name) / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:size])
        return weights.parent

    def without_weights() -> Path:
        path = saved("without weights")
        (path / "model.safetensors").unlink()
        return path

    def custom_code() -> Path:
        path = saved("custom code", model_type="zzz", auto_map={"AutoConfig": "configuration_zzz.Zzz"})
        (path / "configuration_zzz.py").write_text("class Zzz: pass")
        return path

    def overflow() -> None:
        options = {"delayed_shift": 1, "consecutive_hysteresis": False, "raise_error_at_min_scale": True}
        DynamicLossScaler(init_scale=1, scale_window=1000, min_scale=1, dtype=torch.half, **options).update_scale(True)

    def other_adapter() -> None:
        get_peft_model(tiny(), LoraConfig(target_modules=["q_proj"])).save_pretrained(folder / "adapter")
        PeftModel.from_pretrained(tiny(64), folder / "adapter")

    failures: dict[str, Callable[[], object]] = {
        "allocator": lambda: torch.empty(1 << 50),
        "target modules": lambda: get_peft_model(tiny(), LoraConfig(target_modules=["q_prj"])),
        "cut weights": lambda: load(cut("cut weights", 5000)),
        "cut header": lambda: load(cut("cut header", 4)),
        "without weights": lambda: load(without_weights()),
        "sizes": lambda: load(saved("sizes", hidden_size=48, head_dim=16)),
        "adapter": other_adapter,
        "architecture": lambda: load(saved("architecture", model_type="zzz")),
        "custom code": lambda: load(custom_code(), trust_remote_code=False),
        "tokenizer": lambda: AutoTokenizer.from_pretrained(saved("tokenizer")),
        "token id": lambda: tiny()(torch.tensor([[70]])),
        "flash attention": lambda: load(saved("flash attention"), attn_implementation="flash_attention_2"),
        "bf16": lambda: TrainingArguments(output_dir=str(folder), bf16=True),
        "overflow": overflow,
    }
    print(json.dumps({name: explain(fail) for name, fail in failures.items()}))


def explain(fail: Callable[[], object]) -> dict[str, Any] | None:
    from ftrun.api.known_errors import FailedCall, recognize
    from ftrun_plugins.known_errors import KNOWN_ERRORS

    try:
        fail()
    except Exception as error:
        found = recognize(error, KNOWN_ERRORS, FailedCall("train", {"accelerator": "cpu", "trainer": {}}))
        return found[0].as_dict() if found else {"code": None, "what": repr(error)[:300]}
    return None


if __name__ == "__main__":
    main()
