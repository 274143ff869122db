"""Check the trainer keys of a recipe: each key against axolotl's schema, and rules across several keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ftrun.api.issues import Issue, KeyPath
from ftrun.api.recipe import Recipe
from ftrun.api.trainers import TrainerConfig
from ftrun_plugins.axolotl.config import schema
from ftrun_plugins.axolotl.config.best_checkpoint import check_best_checkpoint
from ftrun_plugins.axolotl.config.build import RESERVED_KEYS
from ftrun_plugins.axolotl.config.combinations import (
    EVALUATION_KEYS,
    check_combinations,
    check_target_modules,
    requests_evaluations,
)
from ftrun_plugins.axolotl.config.cpu_fallback import FUSED_KERNELS
from ftrun_plugins.axolotl.config.defaults import offloads_to_cpu
from ftrun_plugins.axolotl.config.file_keys import check_entry, check_template
from ftrun_plugins.axolotl.config.package_keys import check_packages
from ftrun_plugins.axolotl.config.range_check import check_ranges
from ftrun_plugins.axolotl.config.unsupported_keys import check_unsupported

OWN_STAGES = frozenset({"tokenize", "train", "merge"})
RENAMED_OPTIMIZERS = {"ao_adamw_4bit": "adamw_torch_4bit", "ao_adamw_8bit": "adamw_torch_8bit"}


def check_trainer(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    """Yield everything that is wrong with the trainer's keys, even if the recipe stops before training."""
    trains = bool(set(recipe.stages) & OWN_STAGES)
    yield from config.issues
    issues = list(_check_keys(recipe, config, complete=trains))
    yield from issues
    wrong = {issue.path for issue in issues}
    for rule in RULES if trains else ():
        yield from (issue for issue in rule(recipe, config) if wrong.isdisjoint((issue.path, *issue.also)))


def _check_keys(recipe: Recipe, config: TrainerConfig, complete: bool) -> Iterator[Issue]:
    """Check each key separately: support by ftrun, type, range. Report only the first failed check of a key."""
    checks = (
        check_unsupported(config.values, recipe.dataset.trainer),
        _check_schema(recipe, config, complete),
        check_ranges(config.values),
    )
    reported: set[KeyPath] = {(key,) for key in RESERVED_KEYS}  # `config.issues` has these
    for check in checks:
        issues = [issue for issue in check if _find_key_path(issue.path) not in reported]
        reported |= {_find_key_path(issue.path) for issue in issues}
        yield from (replace(issue, path=_find_recipe_path(issue.path, config)) for issue in issues)


def _find_key_path(path: KeyPath) -> KeyPath:
    """Return the path of the trainer key, or of the dataset entry's key, that contains `path`."""
    return path[:3] if path[:1] == ("datasets",) else path[:1]


def _check_schema(recipe: Recipe, config: TrainerConfig, complete: bool) -> Iterator[Issue]:
    """Check the merged configuration against the schema. Report missing keys only if it must be `complete`."""
    entry = {"path": "data", "type": "chat_template", **recipe.dataset.trainer}
    whole = {**config.values, "base_model": recipe.model.base_model, "datasets": [entry]}
    for issue in schema.check(whole):
        if complete or (issue.path and issue.path[0] in whole):
            yield issue


def _find_recipe_path(path: KeyPath, config: TrainerConfig) -> KeyPath:
    """Return the path in the recipe that set a key of the merged configuration."""
    if path[:2] == ("datasets", 0):
        return ("dataset", "trainer", *path[2:])
    origin = config.origins.get(str(path[0])) if path else None
    return (*origin, *path[1:]) if origin else ("train", *path)


def _check_zero_processes(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    resources = recipe.resources_of("train")
    is_single = (resources.processes or resources.gpus) in (0, 1)
    if config.values.get("deepspeed") and is_single and not offloads_to_cpu(config.values["deepspeed"]):
        yield Issue(
            "invalid-value",
            config.origins["deepspeed"],
            "DeepSpeed ZeRO shares a model between processes, but `train` has only one process",
            hint="leave out the zero optimization, request more GPUs, or use zero3_offload",
            also=(("resources", "train"),),
        )


def _check_sequence_len(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    length, limit = config.values.get("sequence_len"), recipe.model.context_length
    if isinstance(length, int) and limit and length > limit:
        yield Issue(
            "invalid-value",
            config.origins["sequence_len"],
            f"`sequence_len` is {length}, but the model reads at most {limit} tokens",
            f"at most {limit}",
        )


def _check_checkpoint_limit(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    if config.values.get("save_total_limit") == 1:
        yield Issue(
            "invalid-value",
            config.origins["save_total_limit"],
            "`save_total_limit` is 1, so the trainer removes a checkpoint before the next one is complete",
            "2 or more",
        )


def _check_held_out_rows(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    held_out = recipe.dataset.holds_out or recipe.dataset.has_validation
    if config.values.get("eval_sample_packing") and not held_out:
        yield Issue(
            "conflicting-keys",
            config.origins["eval_sample_packing"],
            "`eval_sample_packing` packs held-out rows, but no rows are held out",
            hint="set dataset.split.validation, or leave out eval_sample_packing",
        )
    for key in EVALUATION_KEYS:
        if requests_evaluations(key, config.values) and not held_out:
            yield Issue(
                "conflicting-keys",
                config.origins[key],
                f"`{key}` requests evaluations, but no rows are held out",
                hint="set dataset.split.validation, or dataset.split.held_out",
            )


def _check_optimizer(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    new_name = RENAMED_OPTIMIZERS.get(str(config.values.get("optimizer")))
    if new_name:
        yield Issue(
            "invalid-value",
            config.origins["optimizer"],
            f"axolotl accepts the optimizer `{config.values['optimizer']}`, but cannot make it",
            hint=f"set train.optimizer={new_name}, which is the same",
        )


def _check_pose_packing(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    if config.values.get("use_pose") and not config.values.get("sample_packing"):
        yield Issue(
            "no-effect",
            config.origins["use_pose"],
            "`use_pose` has no effect without `sample_packing`: the trainer changes positions only when it packs rows",
            hint="add the optimization sample_packing, or leave out use_pose",
        )


def _check_teacher(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    if config.values.get("kd_trainer") and not config.values.get("kd_online_server_base_url"):
        yield Issue(
            "missing-key",
            config.origins["kd_trainer"],
            "`kd_trainer` needs the token probabilities of a teacher, which ftrun's rows do not contain",
            hint="set kd_online_server_base_url, the address of a server that runs the teacher",
        )


def _check_lora_kernels(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    """Check the kernels for LoRA. With them, axolotl fails after loading a model without an adapter."""
    enabled = [key for key in FUSED_KERNELS if config.values.get(key)]
    if enabled and config.values.get("adapter") not in ("lora", "qlora"):
        first, *others = enabled
        yield Issue(
            "conflicting-keys",
            config.origins[first],
            f"`{first}` needs the adapter lora or qlora",
            hint="set " + " ".join(f"train.{key}=false" for key in enabled),
            also=tuple(config.origins[key] for key in others),
        )


RULES: Iterable[Any] = (
    check_combinations,
    check_target_modules,
    check_best_checkpoint,
    check_template,
    check_entry,
    _check_lora_kernels,
    _check_zero_processes,
    _check_sequence_len,
    _check_checkpoint_limit,
    _check_held_out_rows,
    _check_pose_packing,
    _check_teacher,
    check_packages,
    _check_optimizer,
)
