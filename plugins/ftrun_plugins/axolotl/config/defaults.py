"""What ftrun adds to a recipe's trainer keys, and what axolotl makes of keys that are left out."""

from __future__ import annotations

from typing import Any

from ftrun_plugins.axolotl.config.cpu_fallback import FUSED_KERNELS

# What ftrun adds where the recipe says nothing: enough checkpoints to resume from, without filling the disk.
DEFAULTS: dict[str, Any] = {
    "save_total_limit": 2,
    "logging_steps": 1,
    "eval_sample_packing": False,
    "seed": 42,
    "auto_resume_from_checkpoints": True,
    "dataset_num_proc": 1,
}
# axolotl drops the mask in which rows of one pack see each other only where an attention is named.
PACKED_ATTENTION = "sdpa"
# Of a model whose two ends share one matrix, PEFT would otherwise train two copies, of which a merge keeps one.
VOCABULARY = ("embed_tokens", "lm_head")
SHARED_WEIGHTS = 3  # the stage of ZeRO that shares out the weights too


def with_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """A recipe's trainer keys with what ftrun adds to them, as they would train on a GPU."""
    config = {**DEFAULTS, **values}
    if config.get("sample_packing"):
        config.setdefault("attn_implementation", PACKED_ATTENTION)
    if set(VOCABULARY) & set(config.get("lora_modules_to_save") or ()):
        config.setdefault("peft_ensure_weight_tying", True)
    if config.get("lora_modules_to_save") and _zero_stage(config) == SHARED_WEIGHTS:
        # DeepSpeed shares out only what has one precision, and PEFT would hold its own matrices in 32 bits
        config.setdefault("peft_autocast_adapter_dtype", False)
    return config


def with_settled_precision(config: dict[str, Any]) -> dict[str, Any]:
    """DeepSpeed's `enabled: auto` becomes what the trainer's own keys say.

    It would be settled after the model is loaded, which ZeRO 3 would do in 32 bits: twice the memory, 1.5 times the
    time a step and a result of twice the size (Llama 3.1 8B on four GPUs).
    """
    deepspeed = config.get("deepspeed")
    if not isinstance(deepspeed, dict):
        return config
    asked = {"bf16": config.get("bf16", "auto") in (True, "auto", "full"), "fp16": config.get("fp16") is True}
    settled = {
        name: {**deepspeed[name], "enabled": enabled}
        for name, enabled in asked.items()
        if isinstance(deepspeed.get(name), dict) and deepspeed[name].get("enabled") == "auto"
    }
    return {**config, "deepspeed": {**deepspeed, **settled}}


def turns_on_kernels(config: dict[str, Any]) -> bool:
    """Whether axolotl enables kernels that nobody asked for: its `lora_kernels_auto_enable`, 0.21."""
    adapter = config.get("adapter")
    return (
        adapter in ("lora", "qlora")
        and not (adapter == "lora" and config.get("load_in_8bit"))
        and not config.get("rl")
        and all(config.get(key) is None for key in FUSED_KERNELS)
    )


def offloads(deepspeed: Any) -> bool:
    """Whether a DeepSpeed configuration moves state to the CPU: of use with one process too."""
    return any(key in _zero(deepspeed) for key in ("offload_optimizer", "offload_param"))


def _zero_stage(config: dict[str, Any]) -> object:
    return _zero(config.get("deepspeed")).get("stage")


def _zero(deepspeed: Any) -> dict[str, Any]:
    return dict(deepspeed.get("zero_optimization") or {}) if isinstance(deepspeed, dict) else {}
