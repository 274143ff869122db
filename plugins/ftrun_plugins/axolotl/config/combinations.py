"""Combinations of trainer keys that axolotl 0.21 refuses when it starts, checked before anything is paid.

Each rule repeats one of axolotl's own (`axolotl/utils/schemas/validation.py` and `peft.py`). A test gives each broken
configuration to axolotl, which must refuse it too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun.api.trainers import TrainerConfig

Values: TypeAlias = Mapping[str, Any]
LORA = ("lora", "qlora")
EVALUATION_KEYS = ("eval_steps", "evals_per_epoch", "eval_strategy")
BITSANDBYTES_ADAMW = ("adamw_8bit", "adamw_bnb_8bit")
KERNELS = ("lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel")


@dataclass(frozen=True)
class Combination:
    """Combination of keys that the trainer refuses.

    Args:
        keys: The keys of the combination. The first one that the recipe sets is the place of the error.
        is_wrong: Returns True for a configuration with this fault.
        what: Description of the fault.
        hint: Next step for the user.
        code: Code of the error.
    """

    keys: tuple[str, ...]
    is_wrong: Callable[[Values], bool]
    what: str
    hint: str
    code: str = "conflicting-keys"


def _both(first: str, second: str, hint: str | None = None) -> Combination:
    return Combination(
        (first, second),
        lambda values: bool(values.get(first) and values.get(second)),
        f"`{first}` and `{second}` cannot be used together",
        hint or f"remove one of them: train.{first}=null or train.{second}=null",
    )


def _needs(key: str, other: str, hint: str) -> Combination:
    return Combination(
        (key,),
        lambda values: bool(values.get(key) and not values.get(other)),
        f"`{key}` needs `{other}`",
        hint,
        "missing-key",
    )


def _strategy(strategy: str, count: str) -> Combination:
    return Combination(
        (strategy, count),
        lambda values: bool(values.get(strategy) and values.get(count) and values.get(strategy) != "steps"),
        f"`{count}` needs `{strategy}: steps`",
        f"set train.{strategy}=steps, or remove one of the two keys",
    )


COMBINATIONS = (
    _both("warmup_steps", "warmup_ratio"),
    _both("saves_per_epoch", "save_steps"),
    _both("evals_per_epoch", "eval_steps"),
    _both("lr_groups", "loraplus_lr_ratio"),
    _both("do_causal_lm_eval", "eval_sample_packing", "set train.eval_sample_packing=false"),
    _both("deepspeed", "fsdp_config", "leave out the zero optimization, or set train.fsdp_config=null"),
    _strategy("save_strategy", "save_steps"),
    _strategy("eval_strategy", "eval_steps"),
    _strategy("eval_strategy", "evals_per_epoch"),
    _needs("peft_layers_pattern", "peft_layers_to_transform", "set train.peft_layers_to_transform"),
    _needs("fp8_config", "fp8", "set train.fp8=true, or remove fp8_config"),
    Combination(
        ("load_in_4bit", "adapter"),
        lambda values: values.get("adapter") == "qlora" and not values.get("load_in_4bit"),
        "the adapter qlora needs `load_in_4bit: true`",
        "set train.load_in_4bit=true, or use the adapter lora",
    ),
    Combination(
        ("load_in_8bit", "adapter"),
        lambda values: bool(values.get("adapter") == "qlora" and values.get("load_in_8bit")),
        "the adapter qlora cannot load weights in 8 bits",
        "set train.load_in_8bit=false, or use the adapter lora",
    ),
    Combination(
        ("load_in_8bit", "load_in_4bit"),
        lambda values: bool(not values.get("adapter") and (values.get("load_in_8bit") or values.get("load_in_4bit"))),
        "weights in 4 or 8 bits cannot be trained without an adapter",
        "add the optimization lora or qlora, or set load_in_4bit and load_in_8bit to false",
    ),
    Combination(
        (*KERNELS, "load_in_8bit"),
        lambda values: bool(values.get("load_in_8bit") and any(values.get(key) for key in KERNELS)),
        "the kernels for LoRA do not work with weights in 8 bits",
        "leave out the optimization fused_kernels, or set train.load_in_8bit=false",
    ),
    Combination(
        ("unfrozen_parameters", "peft_layers_to_transform"),
        lambda values: all(
            values.get(key) for key in ("adapter", "unfrozen_parameters", "peft_layers_to_transform")
        ),
        "`unfrozen_parameters` and `peft_layers_to_transform` cannot be used together with an adapter",
        "remove one of them",
    ),
    Combination(
        ("lora_dropout", "lora_target_parameters"),
        lambda values: bool(values.get("lora_target_parameters") and values.get("lora_dropout")),
        "`lora_dropout` must be 0 with `lora_target_parameters`",
        "set train.lora_dropout=0",
    ),
    Combination(
        ("scaling_softmax", "attn_implementation"),
        lambda values: bool(
            values.get("scaling_softmax") and values.get("attn_implementation") != "flex_attention"
        ),
        "`scaling_softmax` needs `attn_implementation: flex_attention`",
        "set train.attn_implementation=flex_attention",
    ),
    Combination(
        ("early_stopping_patience", "eval_steps", "evals_per_epoch", "save_steps", "saves_per_epoch"),
        lambda values: bool(values.get("early_stopping_patience") and _evaluates(values))
        and not _saves_evaluated_steps(values),
        "`early_stopping_patience` needs `eval_steps`, and `save_steps` that is a multiple of it",
        "set train.eval_steps and train.save_steps instead of evals_per_epoch and saves_per_epoch",
    ),
    Combination(
        ("optimizer", "fsdp_config"),
        lambda values: bool(values.get("fsdp_config")) and values.get("optimizer") in BITSANDBYTES_ADAMW,
        "FSDP cannot be used with AdamW in 8 bits of bitsandbytes",
        "set train.optimizer=adamw_torch_8bit",
    ),
    Combination(
        ("fsdp_version", "fsdp_config"),
        lambda values: 1 in _fsdp_versions(values),
        "FSDP 1 is no longer in axolotl",
        "set fsdp_version: 2",
    ),
)  # fmt: skip


def _evaluates(values: Values) -> bool:
    return any(requests_evaluations(key, values) for key in EVALUATION_KEYS)


def _saves_evaluated_steps(values: Values) -> bool:
    evaluated, saved = values.get("eval_steps"), values.get("save_steps")
    return bool(evaluated and saved and saved % evaluated == 0)


def _fsdp_versions(values: Values) -> set[Any]:
    config = values.get("fsdp_config")
    inner = config if isinstance(config, dict) else {}
    return {values.get("fsdp_version"), inner.get("fsdp_version"), inner.get("version")}


def check_combinations(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    """Yield an issue for each combination of keys that the trainer refuses."""
    for rule in COMBINATIONS:
        places = [config.origins[key] for key in rule.keys if config.values.get(key) and key in config.origins]
        places = places or [config.origins[key] for key in rule.keys if key in config.origins]
        if places and rule.is_wrong(config.values):
            yield Issue(rule.code, places[0], rule.what, hint=rule.hint, also=tuple(places[1:]))


def check_target_modules(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    """Yield an issue if a text in `lora_target_modules`, which is a regular expression, is not valid."""
    pattern = config.values.get("lora_target_modules")
    if not isinstance(pattern, str) or pattern == "all-linear":
        return
    try:
        re.compile(pattern)
    except re.error as error:
        what = f"`lora_target_modules` is not a valid regular expression: {error}"
        hint = "list names instead: train.lora_target_modules=[q_proj,v_proj]"
        yield Issue("invalid-value", config.origins["lora_target_modules"], what, hint=hint)


def requests_evaluations(key: str, values: Values) -> bool:
    """Return whether a key of `EVALUATION_KEYS` makes the trainer evaluate."""
    off = (None, False, "no") if key == "eval_strategy" else (None, False, 0)
    return values.get(key) not in off and values.get("eval_strategy") not in (False, "no")
