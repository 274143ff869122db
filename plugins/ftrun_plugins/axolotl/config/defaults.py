"""Default values that ftrun adds to trainer keys, and facts about axolotl's own defaults."""

from __future__ import annotations

from typing import Any

from ftrun_plugins.axolotl.config.cpu_fallback import FUSED_KERNELS

# ftrun adds these if the recipe does not set them. Two checkpoints are enough to resume and do not fill the disk.
DEFAULTS: dict[str, Any] = {
    "save_total_limit": 2,
    "logging_steps": 1,
    "eval_sample_packing": False,
    "seed": 42,
    "auto_resume_from_checkpoints": True,
    "dataset_num_proc": 1,
}
# Without a named attention, axolotl keeps the mask that lets rows of one pack attend to each other.
PACKED_ATTENTION = "sdpa"
# If these layers share one matrix, PEFT trains two copies by default, and a merge keeps only one of them.
VOCABULARY_LAYERS = ("embed_tokens", "lm_head")
SHARDED_WEIGHTS = 3  # the stage of ZeRO that also distributes the weights


def with_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe's trainer keys with the defaults of ftrun, for training on a GPU."""
    config = {**DEFAULTS, **values}
    if config.get("sample_packing"):
        config.setdefault("attn_implementation", PACKED_ATTENTION)
    if set(VOCABULARY_LAYERS) & set(config.get("lora_modules_to_save") or ()):
        config.setdefault("peft_ensure_weight_tying", True)
    if config.get("lora_modules_to_save") and _get_zero_stage(config) == SHARDED_WEIGHTS:
        # DeepSpeed distributes only weights of one precision, but PEFT keeps its own matrices in 32 bits by default
        config.setdefault("peft_autocast_adapter_dtype", False)
    return config


def resolve_auto_precision(config: dict[str, Any]) -> dict[str, Any]:
    """Replace `enabled: auto` in the DeepSpeed configuration by the precision of the trainer's own keys.

    The trainer resolves it only after the model is loaded, and then ZeRO 3 loads the model in 32 bits. This takes twice
    the memory, 1.5 times the time per step, and doubles the size of the result (Llama 3.1 8B on four GPUs).
    """
    deepspeed = config.get("deepspeed")
    if not isinstance(deepspeed, dict):
        return config
    requested = {"bf16": config.get("bf16", "auto") in (True, "auto", "full"), "fp16": config.get("fp16") is True}
    resolved = {
        name: {**deepspeed[name], "enabled": enabled}
        for name, enabled in requested.items()
        if isinstance(deepspeed.get(name), dict) and deepspeed[name].get("enabled") == "auto"
    }
    return {**config, "deepspeed": {**deepspeed, **resolved}}


def axolotl_enables_kernels(config: dict[str, Any]) -> bool:
    """Return whether axolotl 0.21 enables LoRA kernels by itself, as its `lora_kernels_auto_enable` does."""
    adapter = config.get("adapter")
    return (
        adapter in ("lora", "qlora")
        and not (adapter == "lora" and config.get("load_in_8bit"))
        and not config.get("rl")
        and all(config.get(key) is None for key in FUSED_KERNELS)
    )


def offloads_to_cpu(deepspeed: Any) -> bool:
    """Return whether a DeepSpeed configuration moves state to the CPU, which helps even with one process."""
    return any(key in _get_zero_config(deepspeed) for key in ("offload_optimizer", "offload_param"))


def _get_zero_stage(config: dict[str, Any]) -> object:
    return _get_zero_config(config.get("deepspeed")).get("stage")


def _get_zero_config(deepspeed: Any) -> dict[str, Any]:
    return dict(deepspeed.get("zero_optimization") or {}) if isinstance(deepspeed, dict) else {}
