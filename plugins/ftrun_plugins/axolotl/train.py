"""The stage `train`: axolotl on tokenized folders; resumes by itself, publishes adapter or model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ftrun.errors import Problem, Refused
from ftrun.recipe.types import Frozen
from ftrun_plugins.axolotl.adapt import FUSED_KERNELS, adapt_to_cpu
from ftrun_plugins.axolotl.config import merge
from ftrun_plugins.axolotl.trackers import secrets_of

if TYPE_CHECKING:
    from ftrun.contracts import Hardware
    from ftrun.execute.context import StageContext
    from ftrun.plan.call import StageCall
    from ftrun.plan.planning import Planning
    from ftrun.recipe.types import Recipe

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


class Params(Frozen):
    """The whole trainer configuration as it will run, and what else changes its result."""

    trainer: dict[str, Any]
    accelerator: Literal["cpu", "gpu"]
    processes: int
    base_model: str  # the hub's name, for the adapter's own record
    revision: str | None
    trust_remote_code: bool


class Train:
    """One process, or several with DeepSpeed or DDP."""

    name: ClassVar[str] = "train"
    version: ClassVar[int] = 2
    environment: ClassVar[str] = "trainer"

    def plan(self, recipe: Recipe, planning: Planning) -> Sequence[StageCall]:
        data, model = planning.find("tokenize"), planning.find("fetch:model")
        if data is None or model is None:
            return []
        merged = merge(recipe)
        config = with_defaults(merged.train_values())
        hardware = planning.hardware(self.name)
        notes = list(merged.overridden)
        if hardware.accelerator == "cpu":
            config, replaced = adapt_to_cpu(config, hardware.processes)
            notes += [f"no GPU: {note}" for note in replaced]
        elif turns_on_kernels(config):
            notes.append("axolotl turns on its LoRA kernels; lora_mlp_kernel: false and the like turn them off")
        _check_processes(config, hardware)
        params = Params(
            trainer=config,
            accelerator=hardware.accelerator,
            processes=hardware.processes,
            base_model=recipe.model.base_model,
            revision=recipe.model.revision,
            trust_remote_code=recipe.model.trust_remote_code,
        )
        notes.append(f"effective batch: {effective_batch(config, hardware.processes)}")
        return [
            planning.call(
                self,
                params,
                inputs={"model": model, "data": data},
                secrets=secrets_of(config),
                notes=notes,
                cpu=planning.cores if hardware.accelerator == "cpu" else 1.0,
                gpus=hardware.processes if hardware.accelerator == "gpu" else 0,
            )
        ]

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.axolotl.training import Training

        Training(Params.model_validate(call.params), context).run()


def with_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """A recipe's trainer keys with what ftrun adds to them, as they would train on a GPU."""
    config = {**DEFAULTS, **values}
    if config.get("sample_packing"):
        config.setdefault("attn_implementation", PACKED_ATTENTION)
    if set(VOCABULARY) & set(config.get("lora_modules_to_save") or ()):
        config.setdefault("peft_ensure_weight_tying", True)
    return config


def turns_on_kernels(config: dict[str, Any]) -> bool:
    """Whether axolotl enables kernels that nobody asked for: its `lora_kernels_auto_enable`, 0.21."""
    adapter = config.get("adapter")
    return (
        adapter in ("lora", "qlora")
        and not (adapter == "lora" and config.get("load_in_8bit"))
        and not config.get("rl")
        and all(config.get(key) is None for key in FUSED_KERNELS)
    )


def effective_batch(config: dict[str, Any], processes: int) -> str:
    """Rows an optimizer step sees; rows are packs of `sequence_len` tokens where packing is on."""
    micro, accumulate = int(config.get("micro_batch_size") or 1), int(config.get("gradient_accumulation_steps") or 1)
    what = f"packs of {config.get('sequence_len')} tokens" if config.get("sample_packing") else "rows"
    return f"{micro * accumulate * processes} {what} ({micro} x {accumulate} steps x {processes} processes)"


def _check_processes(config: dict[str, Any], hardware: Hardware) -> None:
    if config.get("deepspeed") and hardware.processes == 1 and not offloads(config["deepspeed"]):
        raise Refused(
            Problem(
                f"DeepSpeed ZeRO shares a model between processes, and `train` would run one ({hardware.description})",
                where="optimizations",
                do="leave the zero optimization out, ask for more GPUs (resources.train.gpu), or choose zero3_offload",
            )
        )


def offloads(deepspeed: Any) -> bool:
    """Whether a DeepSpeed configuration moves state to the CPU: of use with one process too."""
    zero = deepspeed.get("zero_optimization", {}) if isinstance(deepspeed, dict) else {}
    return any(key in zero for key in ("offload_optimizer", "offload_param"))
