"""Trainer configurations that axolotl refuses when it starts: the keys that are wrong together, and the sound ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Wrong:
    """Keys that the trainer refuses, and a change after which it accepts them.

    Args:
        values: Trainer keys, beside the adapter lora.
        mended: Keys that mend them; None removes a key.
    """

    values: Mapping[str, Any]
    mended: Mapping[str, Any]


CASES: Mapping[str, Wrong] = {
    "two warm-ups": Wrong({"warmup_steps": 2, "warmup_ratio": 0.1}, {"warmup_ratio": None}),
    "two counts of saves": Wrong({"saves_per_epoch": 2, "save_steps": 5}, {"saves_per_epoch": None}),
    "two counts of evaluations": Wrong({"evals_per_epoch": 2, "eval_steps": 5}, {"eval_steps": None}),
    "saves by epoch and by steps": Wrong({"save_strategy": "epoch", "save_steps": 5}, {"save_strategy": "steps"}),
    "evaluations by epoch and by steps": Wrong({"eval_strategy": "epoch", "eval_steps": 5}, {"eval_strategy": "steps"}),
    "evaluations by epoch and per epoch": Wrong(
        {"eval_strategy": "epoch", "evals_per_epoch": 2}, {"eval_strategy": "steps"}
    ),
    "two rates for groups": Wrong(
        {"lr_groups": [{"name": "a", "modules": ["q_proj"], "lr": 0.1}], "loraplus_lr_ratio": 4},
        {"loraplus_lr_ratio": None},
    ),
    "generated evaluations of packs": Wrong(
        {"do_causal_lm_eval": True, "eval_sample_packing": True}, {"eval_sample_packing": False}
    ),
    "DeepSpeed and FSDP": Wrong(
        {"deepspeed": {"zero_optimization": {"stage": 2}}, "fsdp_config": {"offload_params": False}},
        {"fsdp_config": None},
    ),
    "a pattern without layers": Wrong({"peft_layers_pattern": ["h"]}, {"peft_layers_to_transform": [1]}),
    "a recipe of fp8 without fp8": Wrong({"fp8_config": {"recipe": "rowwise"}}, {"fp8_config": None}),
    "qlora without 4 bits": Wrong({"adapter": "qlora"}, {"load_in_4bit": True}),
    "qlora in 8 bits": Wrong(
        {"adapter": "qlora", "load_in_8bit": True, "load_in_4bit": True}, {"load_in_8bit": None}
    ),
    "8 bits without an adapter": Wrong({"adapter": None, "load_in_8bit": True}, {"load_in_8bit": None}),
    "4 bits without an adapter": Wrong({"adapter": None, "load_in_4bit": True}, {"load_in_4bit": None}),
    "kernels in 8 bits": Wrong({"lora_mlp_kernel": True, "load_in_8bit": True}, {"load_in_8bit": None}),
    "layers and parameters": Wrong(
        {"unfrozen_parameters": ["a"], "peft_layers_to_transform": [1]}, {"unfrozen_parameters": None}
    ),
    "dropout of parameters": Wrong(
        {"lora_dropout": 0.1, "lora_target_parameters": ["mlp.experts.down_proj"]}, {"lora_dropout": 0}
    ),
    "scaled softmax": Wrong(
        {"scaling_softmax": True, "attn_implementation": "sdpa"}, {"attn_implementation": "flex_attention"}
    ),
    "early stopping by epoch": Wrong(
        {"early_stopping_patience": 3, "evals_per_epoch": 4, "saves_per_epoch": 1},
        {"evals_per_epoch": None, "saves_per_epoch": None, "eval_steps": 5, "save_steps": 10},
    ),
    "early stopping between saves": Wrong(
        {"early_stopping_patience": 3, "eval_steps": 4, "save_steps": 10}, {"eval_steps": 5}
    ),
    "FSDP and AdamW in 8 bits": Wrong(
        {"fsdp_version": 2, "fsdp_config": {"reshard_after_forward": True}, "optimizer": "adamw_bnb_8bit"},
        {"optimizer": "adamw_torch_8bit"},
    ),
    "the first FSDP": Wrong({"fsdp_version": 1}, {"fsdp_version": None}),
    "the first FSDP, inside": Wrong({"fsdp_config": {"fsdp_version": 1}}, {"fsdp_config": None}),
}  # fmt: skip


def mend(case: Wrong) -> dict[str, Any]:
    """Return the keys of a case after its change."""
    return {key: value for key, value in {**case.values, **case.mended}.items() if value is not None}
