"""Choice of optimizations whose trainer keys a configuration has, so that the recipe says what it uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrun_plugins.importing.options import read_options

ADAPTERS = ("lora", "qlora")
OTHERS = ("gradient_checkpointing", "flash_attention", "sample_packing", "fused_kernels", "fp8")


def choose_optimizations(keys: dict[str, Any], zero: str | None) -> tuple[list[str], dict[str, str]]:
    """Return the optimizations, and the one that sets each key. Remove these keys from `keys`.

    An adapter is chosen if the configuration has each of its keys; keys with other values stay and replace those of
    the adapter. The others are chosen if all values are the same.
    """
    options = read_options("optimizations")
    chosen: list[str] = []
    origins: dict[str, str] = {}
    for name in (*ADAPTERS, *OTHERS):
        fragment = options[name][name]
        same = {key for key, value in fragment.items() if keys.get(key) == value}
        if keys.get("lora_target_modules"):  # would switch off `lora_target_linear` of an optimization
            same.discard("lora_target_linear")
        complete = fragment.keys() <= keys.keys() and keys.get("adapter") == name
        if complete if name in ADAPTERS else same == fragment.keys():
            chosen.append(name)
            origins |= dict.fromkeys(same, name)
    if not keys.get("adapter"):
        chosen.insert(0, "full")
    chosen += [zero] if zero else []
    for key in origins:
        keys.pop(key)
    return chosen, origins


def find_zero(deepspeed: Mapping[str, Any]) -> str | None:
    """Return the optimization with this DeepSpeed configuration."""
    options = read_options("optimizations")
    return next((name for name, content in options.items() if content[name].get("deepspeed") == deepspeed), None)
