"""Replacement of trainer keys that need a GPU, with a note for each replaced key."""

from __future__ import annotations

from typing import Any

from ftrun.utils.value_format import shorten_value
from ftrun_plugins.axolotl.config.package_keys import CUT_PLUGIN

FUSED_KERNELS = ("lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel", "lora_embedding_kernel")
# Integrations whose kernels need a GPU, with the prefix of their keys.
GPU_PLUGINS = {
    "axolotl.integrations.liger.LigerPlugin": "liger_",
    CUT_PLUGIN: "cut_cross_entropy",
}
CPU_OPTIMIZER = "adamw_torch"
GPU_OPTIMIZERS = ("bnb", "fused", "paged", "8bit", "4bit", "fp8", "ademamix")
CPU_ATTENTION = "sdpa"


def adapt_to_cpu(values: dict[str, Any], processes: int) -> tuple[dict[str, Any], list[str]]:
    """Return a configuration that trains on a CPU, and a note for each value that was replaced.

    Replaces precision, 4- and 8-bit weights, attention, fused kernels, optimizers and, for one process, DeepSpeed.
    """
    adapted = dict(values)
    notes = []

    def replace(key: str, new: Any) -> None:
        old = adapted.get(key)
        if new is None:
            adapted.pop(key, None)
        else:
            adapted[key] = new
        if old not in (None, False, new):
            notes.append(f"{key}: {shorten_value(old)} -> {'left out' if new is None else shorten_value(new)}")

    for key in ("bf16", "fp16", "tf32", "fp8", "bfloat16", "float16"):
        if key in adapted or key in ("bf16", "fp16", "tf32"):
            replace(key, False)
    for key in ("load_in_4bit", "load_in_8bit", "quantize_moe_experts"):
        replace(key, None)
    if adapted.get("adapter") == "qlora":
        replace("adapter", "lora")
    _remove_gpu_plugins(adapted, notes)
    for key in FUSED_KERNELS:  # axolotl enables them by itself if LoRA has no dropout
        replace(key, False)
    if adapted.get("attn_implementation") not in ("eager", CPU_ATTENTION):
        replace("attn_implementation", CPU_ATTENTION)
    if any(word in str(adapted.get("optimizer", "")) for word in GPU_OPTIMIZERS):
        replace("optimizer", CPU_OPTIMIZER)
    replace("torch_compile", None)
    if processes == 1:
        replace("deepspeed", None)
    return adapted, notes


def _remove_gpu_plugins(adapted: dict[str, Any], notes: list[str]) -> None:
    plugins = adapted.get("plugins") or []
    for plugin in plugins:
        if plugin in GPU_PLUGINS:
            dropped = [key for key in adapted if key.startswith(GPU_PLUGINS[plugin])]
            for key in dropped:
                del adapted[key]
            keys = f", with {', '.join(dropped)}" if dropped else ""
            notes.append(f"plugin {plugin.rpartition('.')[2]} -> left out{keys}")
    if plugins:
        adapted["plugins"] = [plugin for plugin in plugins if plugin not in GPU_PLUGINS]
