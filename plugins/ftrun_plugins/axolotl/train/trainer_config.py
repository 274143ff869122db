"""The configuration that the trainer gets, for the stages `train` and `check`."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import Split
from ftrun.api.errors import InvalidInput, Problem
from ftrun_plugins.axolotl.config.best_checkpoint import LAST_CHECKPOINT, keeps_last_checkpoint
from ftrun_plugins.axolotl.config.cpu_fallback import adapt_to_cpu
from ftrun_plugins.axolotl.config.defaults import (
    axolotl_enables_kernels,
    offloads_to_cpu,
    resolve_auto_precision,
    with_defaults,
)
from ftrun_plugins.axolotl.train.params import Params
from ftrun_plugins.axolotl.workspace import DATA, PREPARED

if TYPE_CHECKING:
    from ftrun.api.backends import Hardware
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe

EVALUATED: tuple[Split, ...] = ("validation", "held_out")  # the trainer evaluates the first of them that has rows
PLUGIN = "ftrun_plugins.axolotl.train.callbacks.ProgressPlugin"


def plan_params(recipe: Recipe, planner: Planner) -> tuple[Params, list[str]]:
    """Return the parameters of training a recipe on its hardware, and notes on replaced and automatic values.

    Raises:
        InvalidInput: If the hardware is missing or does not fit the configuration.
    """
    merged = planner.trainer_config
    config = with_defaults(merged.set_values())
    hardware = planner.hardware("train")
    notes = list(merged.overridden)
    if hardware.accelerator == "cpu":
        config, replaced = adapt_to_cpu(config, hardware.processes)
        notes += [f"no GPU: {note}" for note in replaced]
    elif axolotl_enables_kernels(config):
        notes.append("axolotl enables its LoRA kernels; disable them with lora_mlp_kernel: false")
    _check_processes(config, hardware)
    if keeps_last_checkpoint(recipe, config):
        config = {**config, "load_best_model_at_end": False}
        notes.append(LAST_CHECKPOINT)
    params = Params(
        trainer=resolve_auto_precision(config),
        accelerator=hardware.accelerator,
        processes=hardware.processes,
        base_model=recipe.model.base_model,
        revision=recipe.model.revision,
        trust_remote_code=recipe.model.trust_remote_code,
    )
    notes.append(f"effective batch: {effective_batch(config, hardware.processes)}")
    return params, notes


def complete_config(params: Params, splits: Collection[str]) -> dict[str, Any]:
    """Return the configuration with the keys that only ftrun sets. `splits` are those that have rows."""
    trainer = dict(params.trainer)
    evaluated = next((split for split in EVALUATED if split in splits), None)
    entries = {
        key: [{"path": f"{DATA}/{split}", "type": None, "split": "train"}]
        for key, split in (("datasets", "train"), ("test_datasets", evaluated))
        if split is not None
    }
    return {
        "logging_nan_inf_filter": False,  # the filter hides losses that `divergence` must see
        **trainer,
        **entries,
        "dataset_prepared_path": PREPARED,
        "trust_remote_code": params.trust_remote_code,
        "val_set_size": 0,
        "plugins": [*trainer.get("plugins", []), PLUGIN],
    }


def effective_batch(config: dict[str, Any], processes: int) -> str:
    """Describe the number of rows per optimizer step, or of packs with `sequence_len` tokens if rows are packed."""
    micro, accumulate = int(config.get("micro_batch_size") or 1), int(config.get("gradient_accumulation_steps") or 1)
    unit = f"packs of {config.get('sequence_len')} tokens" if config.get("sample_packing") else "rows"
    return f"{micro * accumulate * processes} {unit} ({micro} x {accumulate} steps x {processes} processes)"


def _check_processes(config: dict[str, Any], hardware: Hardware) -> None:
    if config.get("deepspeed") and hardware.processes == 1 and not offloads_to_cpu(config["deepspeed"]):
        raise InvalidInput(
            Problem(
                "invalid-value",
                f"DeepSpeed ZeRO shares a model between processes, but `train` has only one ({hardware.description})",
                at="optimizations",
                hint="leave out the zero optimization, request more GPUs (resources.train.gpu), or use zero3_offload",
            )
        )
