"""Replacement of trainer keys in a rehearsal.

Replaces sizes, keys that need other machines, and keys that are specific to the real model. The stage `train` itself
adapts precision, quantization and kernels if there is no GPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ftrun.api.trainers import Replacement
from ftrun_plugins.axolotl.config.defaults import VOCABULARY_LAYERS
from ftrun_plugins.axolotl.train.trackers import TRACKERS

STEPS = 3
SEQUENCE_LEN = 2048  # tokens; two cores need a few seconds for a pack of this length
MICRO_BATCH = 2  # rows; 1 if rows are packed
LOCAL_TRACKERS = ("TensorBoard",)  # trackers that write only a folder
MULTI_PROCESS_KEYS = (
    "deepspeed", "fsdp_config", "fsdp_version", "tensor_parallel_size", "context_parallel_size",
    "expert_parallel_size", "dp_shard_size", "dp_replicate_size", "use_ray",
)  # fmt: skip
MODEL_KEYS = (
    "special_tokens", "added_tokens_overrides", "model_config", "overrides_of_model_config", "base_model_config",
    "model_type", "type_of_model", "tokenizer_type", "tokenizer_config", "processor_type", "unfrozen_parameters",
    "lora_target_parameters", "rope_scaling", "tokenizer_use_mistral_common",
)  # fmt: skip
# Templates that end a turn with a token of the tiny model. The marks of other templates are plain text for it.
TEMPLATES = (None, "chatml", "tokenizer_default")
LAYERS = frozenset({"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"})


def replacements(values: Mapping[str, Any]) -> Iterator[Replacement]:
    """Yield the replacements for the merged trainer keys `values`."""
    yield from _reduce_sizes(values)
    yield from _reduce_steps(values)
    yield from _remove_keys(values, MULTI_PROCESS_KEYS, "one process is enough for a tiny model")
    yield from _remove_keys(values, MODEL_KEYS, "specific to the real model")
    yield from _replace_template(values)
    yield from _replace_modules(values)
    trackers = [key for tracker in TRACKERS if tracker.name not in LOCAL_TRACKERS for key in tracker.keys]
    yield from _remove_keys(values, trackers, "a rehearsal sends no metrics to servers")
    yield from _remove_keys(values, ["loss_watchdog_threshold"], "the loss of a random model is higher")


def _remove_keys(values: Mapping[str, Any], keys: tuple[str, ...] | list[str], why: str) -> Iterator[Replacement]:
    for key in keys:
        if values.get(key):
            yield Replacement(f"train.{key}", values[key], None, why)


def _reduce_sizes(values: Mapping[str, Any]) -> Iterator[Replacement]:
    batch = 1 if values.get("sample_packing") else MICRO_BATCH
    limits = {
        "sequence_len": (SEQUENCE_LEN, "memory and time of a CPU"),
        "micro_batch_size": (batch, "few rows"),
        "eval_batch_size": (MICRO_BATCH, "few rows"),
        "gradient_accumulation_steps": (1, "few rows"),
    }
    for key, (limit, why) in limits.items():
        value = values.get(key)
        if isinstance(value, int) and value > limit:
            yield Replacement(f"train.{key}", value, limit, why)
            if key == "sequence_len" and str(values.get("excess_length_strategy")).lower() == "truncate":
                why = "a shorter row may lose its whole answer"
                yield Replacement("train.excess_length_strategy", "truncate", "drop", why)
    if values.get("pad_to_sequence_len"):
        yield Replacement("train.pad_to_sequence_len", True, False, "padding would take most of the time")


def _reduce_steps(values: Mapping[str, Any]) -> Iterator[Replacement]:
    if values.get("max_steps") is None or values["max_steps"] > STEPS:
        yield Replacement("train.max_steps", values.get("max_steps"), STEPS, "enough to run every part")
    for key in ("eval_steps", "save_steps"):
        if isinstance(values.get(key), int) and values[key] > STEPS:
            yield Replacement(f"train.{key}", values[key], STEPS, f"otherwise it does not happen in {STEPS} steps")


def _replace_template(values: Mapping[str, Any]) -> Iterator[Replacement]:
    template = values.get("chat_template")
    if template in TEMPLATES or str(template).startswith("tokenizer_default"):
        yield from _remove_keys(values, ["eot_tokens"], "specific to the real model")
        return
    why = "its marks are not tokens of the tiny model"
    yield Replacement("train.chat_template", template, "tokenizer_default", why)
    yield from _remove_keys(values, ["chat_template_jinja", "eot_tokens"], why)


def _replace_modules(values: Mapping[str, Any]) -> Iterator[Replacement]:
    """Replace names of modules by those of a Llama, because the tiny model is a Llama."""
    saved = values.get("lora_modules_to_save")
    if saved and not set(saved) <= {*VOCABULARY_LAYERS, *LAYERS}:
        yield Replacement("train.lora_modules_to_save", saved, list(VOCABULARY_LAYERS), "names in the tiny model")
    targets = values.get("lora_target_modules")
    if isinstance(targets, str) or (targets and not set(targets) <= LAYERS):
        how = ("train.lora_target_modules=null", "train.lora_target_linear=true")
        yield Replacement("train.lora_target_modules", targets, "all linear layers", "specific to the real model", how)
