"""Distribution of the training over processes: files of DeepSpeed, FSDP and Ray."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any

from ftrun_plugins.importing.axolotl.deepspeed import read_deepspeed
from ftrun_plugins.importing.llama_factory.settings import Settings

# LLaMA-Factory's files, by the optimization that does the same. Offloading the optimizer alone has none.
PRESETS = {"ds_z2_config": "zero2", "ds_z3_config": "zero3", "ds_z3_offload_config": "zero3_offload"}
NO_ZERO = "ds_z0_config"
BUFFERS = "The sizes of DeepSpeed's buffers, which change no result, are those of ftrun."


def read_distribution(settings: Settings) -> str | None:
    """Return the optimization that distributes the training, and set `deepspeed` if none does the same."""
    if zero := _read_deepspeed(settings):
        return zero
    workers = settings.get("ray_num_workers")
    if workers:
        settings.changed("ray_num_workers", "resources.train", "ftrun starts one process per GPU")
    sharding = settings.get("fsdp")
    if sharding and not settings.get("deepspeed"):
        reason = "ZeRO 3 of DeepSpeed distributes the same weights, gradients and optimizer states"
        settings.changed("fsdp", "optimizations.zero3", reason)
        for key in ("fsdp_config", "fsdp_transformer_layer_cls_to_wrap"):
            settings.leave_out(key, "DeepSpeed needs no names of layers")
        return "zero3"
    settings.exact("fsdp")
    return None


def _read_deepspeed(settings: Settings) -> str | None:
    given = settings.get("deepspeed")
    if not given:
        settings.exact("deepspeed")
        return None
    stem = PurePath(str(given)).stem if isinstance(given, str) else ""
    if stem == NO_ZERO:
        reason = "ZeRO 0 distributes nothing: each process has a whole model"
        settings.changed("deepspeed", None, reason)
        return None
    file = _find_beside(str(given), settings) if isinstance(given, str) else None
    if stem in PRESETS and file is None:
        reason = f"`{given}` is not here; the optimization `{PRESETS[stem]}` has the same stage"
        settings.changed("deepspeed", f"optimizations.{PRESETS[stem]}", reason)
        return PRESETS[stem]
    settings.done.add("deepspeed")
    value = str(file) if file else given
    zero, content = read_deepspeed({"deepspeed": value}, settings.record)
    if stem in PRESETS and content is not None and _has_stage(content, PRESETS[stem]):
        settings.record.draft.entries.pop()
        settings.record.exact(("deepspeed",), f"optimizations.{PRESETS[stem]}")
        settings.record.draft.notes.append(
            "The sizes of DeepSpeed's buffers, which change no result, are those of ftrun."
        )
        return PRESETS[stem]
    if content is not None:
        settings.train["deepspeed"] = content
    return zero


def _has_stage(content: Any, option: str) -> bool:
    zero = content.get("zero_optimization") if isinstance(content, dict) else None
    if not isinstance(zero, dict) or "tensor_parallel" in content:
        return False
    offloads = {key for key in ("offload_optimizer", "offload_param") if key in zero}
    wanted = {"offload_optimizer", "offload_param"} if option.endswith("offload") else set()
    return str(zero.get("stage")) == option.removeprefix("zero")[:1] and offloads == wanted


def _find_beside(path: str, settings: Settings) -> Path | None:
    """Return a file whose relative path starts at the current folder, or at a folder above the configuration."""
    context = settings.record.context
    if found := context.find(path):
        return found
    places = (parent / path for parent in context.file.absolute().parents)
    return next((place for place in places if place.exists()), None)
