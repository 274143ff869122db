"""The architecture of the model without weights, and an adapter for it, as the trainer would make them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def build_model(config: Any) -> Any:
    """Return the model of a trainer's configuration on the device `meta`, which holds no weights."""
    from accelerate import init_empty_weights
    from axolotl.loaders.model import ModelLoader
    from axolotl.loaders.utils import load_model_config
    from transformers import AutoModelForCausalLM

    model_config = load_model_config(config)
    loader = SimpleNamespace(cfg=config, model_config=model_config, auto_model_loader=AutoModelForCausalLM)
    ModelLoader._set_auto_model_loader(loader)
    with init_empty_weights():
        return loader.auto_model_loader.from_config(model_config, trust_remote_code=bool(config.trust_remote_code))


def add_adapter(model: Any, config: Any) -> None:
    """Add the LoRA adapter of a configuration to a model without weights.

    Raises:
        ValueError: If PEFT refuses the configuration.
    """
    from axolotl.loaders import adapter
    from peft import get_peft_model

    adapter._patch_peft_clippable_linear()
    adapter._patch_peft_param_wrapper_dropout()
    get_peft_model(model, adapter._build_peft_lora_config(model, config), low_cpu_mem_usage=True)
