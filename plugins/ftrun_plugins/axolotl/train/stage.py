"""The stage `train`: trains with axolotl on tokenized rows, and writes an adapter or a model.

It resumes from the last complete checkpoint by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.planner import CallRequest
from ftrun_plugins.axolotl.config.cpu_fallback import adapt_to_cpu
from ftrun_plugins.axolotl.config.defaults import (
    axolotl_enables_kernels,
    offloads_to_cpu,
    resolve_auto_precision,
    with_defaults,
)
from ftrun_plugins.axolotl.train.params import Params
from ftrun_plugins.axolotl.train.trackers import required_secrets

if TYPE_CHECKING:
    from ftrun.api.backends import Hardware
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall


class Train:
    """Training in one process, or in several with DeepSpeed or DDP."""

    name: ClassVar[str] = "train"
    version: ClassVar[int] = 2
    environment: ClassVar[str] = "trainer"
    known_errors: ClassVar[str] = "ftrun_plugins.known_errors:KNOWN_ERRORS"

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        data, model = planner.find("tokenize"), planner.find("fetch:model")
        if data is None or model is None:
            return []
        merged = planner.trainer_config
        config = with_defaults(merged.set_values())
        hardware = planner.hardware(self.name)
        notes = list(merged.overridden)
        if hardware.accelerator == "cpu":
            config, replaced = adapt_to_cpu(config, hardware.processes)
            notes += [f"no GPU: {note}" for note in replaced]
        elif axolotl_enables_kernels(config):
            notes.append("axolotl enables its LoRA kernels; disable them with lora_mlp_kernel: false")
        _check_processes(config, hardware)
        params = Params(
            trainer=resolve_auto_precision(config),
            accelerator=hardware.accelerator,
            processes=hardware.processes,
            base_model=recipe.model.base_model,
            revision=recipe.model.revision,
            trust_remote_code=recipe.model.trust_remote_code,
        )
        notes.append(f"effective batch: {effective_batch(config, hardware.processes)}")
        return [
            planner.call(
                self,
                CallRequest(
                    params,
                    inputs={"model": model, "data": data},
                    secrets=required_secrets(config),
                    notes=notes,
                    cpu=planner.cores if hardware.accelerator == "cpu" else 1.0,
                    gpus=hardware.processes if hardware.accelerator == "gpu" else 0,
                    preloaded=True,
                ),
            )
        ]

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.axolotl.train.worker import TrainWorker

        TrainWorker(Params.model_validate(call.params), context).run()


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
