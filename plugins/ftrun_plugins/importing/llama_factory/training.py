"""Schedule, precision and packing of a LLaMA-Factory configuration, as trainer keys of axolotl."""

from __future__ import annotations

from ftrun_plugins.importing.llama_factory.keys import DEFAULTS, SAME
from ftrun_plugins.importing.llama_factory.method import read_method
from ftrun_plugins.importing.llama_factory.settings import Settings

LIGER = "axolotl.integrations.liger.LigerPlugin"
ATTENTION = {"sdpa": "sdpa", "disabled": "eager", "fa2": "flash_attention_2", "fa3": "flash_attention_3"}
STAGES = {
    "rm": "a model that scores answers",
    "ppo": "training by rewards",
    "dpo": "training by preferences",
    "kto": "training by labels",
}
PRECISION = (
    "LLaMA-Factory keeps all weights in 32 bits, the trainer keeps them in 16 without DeepSpeed; use zero1 to zero3 on "
    "several GPUs, or bf16: false with tf32: true"
)
PACKED_TEXTS = (
    "LLaMA-Factory joins all texts and cuts them into blocks of cutoff_len tokens; ftrun packs whole texts, and cuts "
    "those that are longer"
)
PACKED_ROWS = "in LLaMA-Factory the rows of a pack see each other without neat_packing; in ftrun they never do"


def read_training(settings: Settings) -> None:
    """Set the trainer keys of everything but the model and the data."""
    _read_stage(settings)
    for key, name in SAME.items():
        if key in settings.values and settings.get(key) is not None:
            settings.set(key, name, settings.get(key))
        else:
            settings.exact(key)
    _read_length(settings)
    _read_warmup(settings)
    read_method(settings)
    _read_precision(settings)
    _read_packing(settings)
    _read_kernels(settings)
    _read_losses(settings)
    for name, value in DEFAULTS.items():
        if name not in settings.train:
            settings.train[name] = settings.defaults[name] = value


def _read_stage(settings: Settings) -> None:
    stage = str(settings.get("stage", "sft"))
    if stage in STAGES:
        hint = "train on the good answers with stage: sft" if stage != "ppo" else None
        settings.refuse("stage", f"`stage` is `{stage}`, {STAGES[stage]}; ftrun trains on answers", hint)
    elif stage not in ("sft", "pt"):
        settings.refuse("stage", f"`stage` is `{stage[:40]}`", "use sft or pt")
    settings.exact("stage", "dataset.formatter")
    if not settings.get("do_train", False) and ("do_predict" in settings.values or "export_dir" in settings.values):
        settings.refuse("do_train", "the configuration does not train", "import the configuration of the training")
    settings.exact("do_train")


def _read_length(settings: Settings) -> None:
    settings.train["sequence_len"] = settings.get("cutoff_len", DEFAULTS["sequence_len"])
    settings.train["excess_length_strategy"] = "truncate"
    settings.exact("cutoff_len", "train.sequence_len")


def _read_warmup(settings: Settings) -> None:
    """Resolve both keys as transformers does: steps win, and steps below 1 are a share."""
    steps = settings.train.get("warmup_steps")
    if isinstance(steps, int | float) and 0 < steps < 1:
        settings.train["warmup_ratio"] = settings.train.pop("warmup_steps")
    elif steps:
        settings.train.pop("warmup_ratio", None)
    elif "warmup_ratio" in settings.train:
        settings.train.pop("warmup_steps", None)
    else:
        settings.train.setdefault("warmup_steps", 0)
        settings.defaults["warmup_steps"] = 0


def _read_precision(settings: Settings) -> None:
    full = settings.get("finetuning_type", "lora") != "lora"
    bf16, fp16, pure = (bool(settings.get(key, False)) for key in ("bf16", "fp16", "pure_bf16"))
    settings.train["bf16"] = bf16 or pure
    if fp16:
        settings.train["fp16"] = True
    if full and (bf16 or fp16) and not settings.get("deepspeed"):
        settings.check("bf16" if bf16 else "fp16", "train.bf16", PRECISION)
    if pure:
        settings.changed("pure_bf16", "train.bf16", "the weights have 16 bits in both; an adapter keeps 32 in ftrun")
    for key in ("bf16", "fp16", "pure_bf16"):
        settings.exact(key, f"train.{key}" if key != "pure_bf16" and settings.get(key) else None)
    if "bf16" not in settings.values and not pure:
        settings.defaults["bf16"] = False
    if settings.get("fp8"):
        settings.set("fp8", "fp8", True)
    settings.exact("fp8")


def _read_packing(settings: Settings) -> None:
    stage, neat = settings.get("stage", "sft"), bool(settings.get("neat_packing", False))
    packs = neat or bool(settings.get("packing", stage == "pt"))
    if packs:
        settings.train |= {"sample_packing": True, "pad_to_sequence_len": True}
        if stage == "pt":
            settings.check("packing", "train.sample_packing", PACKED_TEXTS)
        elif not neat:
            settings.check("packing", "train.sample_packing", PACKED_ROWS)
    for key in ("packing", "neat_packing"):
        settings.exact(key, "train.sample_packing" if packs else None)
    if settings.get("train_on_prompt"):
        settings.train["train_on_inputs"] = True
        settings.check("train_on_prompt", "train.train_on_inputs", "see with `ftrun preview` what is trained")
    settings.exact("train_on_prompt")


def _read_kernels(settings: Settings) -> None:
    attention = str(settings.get("flash_attn", "auto"))
    if attention in ATTENTION:
        settings.set("flash_attn", "attn_implementation", ATTENTION[attention])
    elif attention != "auto":
        settings.refuse("flash_attn", f"`flash_attn` is `{attention[:40]}`", "use auto, sdpa, fa2, fa3 or disabled")
    settings.exact("flash_attn")
    if not settings.get("disable_gradient_checkpointing", False):
        settings.train |= {"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"use_reentrant": False}}
        settings.defaults["gradient_checkpointing"] = True
    settings.exact("disable_gradient_checkpointing")
    settings.leave_out("use_reentrant_gc", "both ways to recompute activations give the same gradients")
    settings.leave_out("gradient_checkpointing", "LLaMA-Factory ignores it; it checkpoints unless it is disabled")
    if settings.get("enable_liger_kernel"):
        settings.train["plugins"] = [LIGER]
        names = ("liger_rope", "liger_rms_norm", "liger_glu_activation", "liger_fused_linear_cross_entropy")
        settings.train |= dict.fromkeys(names, True)
        settings.exact("enable_liger_kernel", "train.plugins")
    settings.exact("enable_liger_kernel")


def _read_losses(settings: Settings) -> None:
    reason = "axolotl has its own implementation of this loss"
    if settings.get("use_dft_loss"):
        settings.train["use_dft"] = True
        settings.check("use_dft_loss", "train.use_dft", reason)
    if settings.get("use_eaft_loss"):
        settings.train |= {"use_eaft": True, "eaft_alpha": settings.get("eaft_alpha", 1.0)}
        settings.check("use_eaft_loss", "train.use_eaft", reason)
        settings.exact("eaft_alpha", "train.eaft_alpha")
    if settings.get("use_muon"):
        settings.train["optimizer"] = "muon"
        settings.check("use_muon", "train.optimizer", "axolotl has its own implementation of this optimizer")
    for key in ("use_dft_loss", "use_eaft_loss", "use_muon"):
        settings.exact(key)
