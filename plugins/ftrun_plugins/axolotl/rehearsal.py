"""What a rehearsal replaces among the trainer's keys: what is large, what needs other machines, and what is made for
another model. Precision, quantization and kernels are not here: `train` adapts them wherever there is no GPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ftrun.api.trainers import Replacement
from ftrun_plugins.axolotl.config.defaults import VOCABULARY
from ftrun_plugins.axolotl.train.trackers import TRACKERS

STEPS = 3
SEQUENCE_LEN = 2048  # tokens; a pack of them is a few seconds of two cores
MICRO_BATCH = 2  # rows, or one pack of rows
LEFT_AS_A_FOLDER = ("TensorBoard",)  # trackers that need no server
OF_SEVERAL_PROCESSES = (
    "deepspeed", "fsdp_config", "fsdp_version", "tensor_parallel_size", "context_parallel_size",
    "expert_parallel_size", "dp_shard_size", "dp_replicate_size", "use_ray",
)  # fmt: skip
OF_ANOTHER_MODEL = (
    "special_tokens", "added_tokens_overrides", "model_config", "overrides_of_model_config", "base_model_config",
    "model_type", "type_of_model", "tokenizer_type", "tokenizer_config", "processor_type", "unfrozen_parameters",
    "lora_target_parameters", "rope_scaling", "tokenizer_use_mistral_common",
)  # fmt: skip
# Templates that end a turn with a token of the tiny model; others write marks that are plain text to it.
TEMPLATES = (None, "chatml", "tokenizer_default")
LAYERS = frozenset({"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"})


def replacements(values: Mapping[str, Any]) -> Iterator[Replacement]:
    """The replacements for the merged trainer keys `values`."""
    yield from _small(values)
    yield from _steps(values)
    yield from _left_out(values, OF_SEVERAL_PROCESSES, "one process is enough for a tiny model")
    yield from _left_out(values, OF_ANOTHER_MODEL, "belongs to the real model")
    yield from _template(values)
    yield from _modules(values)
    trackers = [key for tracker in TRACKERS if tracker.name not in LEFT_AS_A_FOLDER for key in tracker.keys]
    yield from _left_out(values, trackers, "a rehearsal is not logged elsewhere")
    yield from _left_out(values, ["loss_watchdog_threshold"], "a random model's loss is above it")


def _left_out(values: Mapping[str, Any], keys: tuple[str, ...] | list[str], why: str) -> Iterator[Replacement]:
    for key in keys:
        if values.get(key):
            yield Replacement(f"train.{key}", values[key], None, why)


def _small(values: Mapping[str, Any]) -> Iterator[Replacement]:
    batch = 1 if values.get("sample_packing") else MICRO_BATCH
    limits = {
        "sequence_len": (SEQUENCE_LEN, "a CPU's memory and time"),
        "micro_batch_size": (batch, "few rows"),
        "eval_batch_size": (MICRO_BATCH, "few rows"),
        "gradient_accumulation_steps": (1, "few rows"),
    }
    for key, (limit, why) in limits.items():
        value = values.get(key)
        if isinstance(value, int) and value > limit:
            yield Replacement(f"train.{key}", value, limit, why)
            if key == "sequence_len" and str(values.get("excess_length_strategy")).lower() == "truncate":
                why = "a cut at fewer tokens may leave a prompt without its answer"
                yield Replacement("train.excess_length_strategy", "truncate", "drop", why)
    if values.get("pad_to_sequence_len"):
        yield Replacement("train.pad_to_sequence_len", True, False, "padding would take most of the time")


def _steps(values: Mapping[str, Any]) -> Iterator[Replacement]:
    if values.get("max_steps") is None or values["max_steps"] > STEPS:
        yield Replacement("train.max_steps", values.get("max_steps"), STEPS, "enough to see every part work")
    for key in ("eval_steps", "save_steps"):
        if isinstance(values.get(key), int) and values[key] > STEPS:
            yield Replacement(f"train.{key}", values[key], STEPS, f"else there is none in {STEPS} steps")


def _template(values: Mapping[str, Any]) -> Iterator[Replacement]:
    template = values.get("chat_template")
    if template in TEMPLATES or str(template).startswith("tokenizer_default"):
        yield from _left_out(values, ["eot_tokens"], "belongs to the real model")
        return
    why = "its marks are not tokens of the tiny model"
    yield Replacement("train.chat_template", template, "tokenizer_default", why)
    yield from _left_out(values, ["chat_template_jinja", "eot_tokens"], why)


def _modules(values: Mapping[str, Any]) -> Iterator[Replacement]:
    """Names of modules become those of a Llama, which the tiny model is."""
    saved = values.get("lora_modules_to_save")
    if saved and not set(saved) <= {*VOCABULARY, *LAYERS}:
        yield Replacement("train.lora_modules_to_save", saved, list(VOCABULARY), "the same modules of the tiny model")
    targets = values.get("lora_target_modules")
    if isinstance(targets, str) or (targets and not set(targets) <= LAYERS):
        how = ("train.lora_target_modules=null", "train.lora_target_linear=true")
        yield Replacement("train.lora_target_modules", targets, "all linear layers", "belongs to the real model", how)
