"""Checks the trainer's part of a recipe: the merged configuration against axolotl's schema, and rules across fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ftrun.api.issues import Issue, KeyPath
from ftrun.api.recipe import Recipe
from ftrun.api.trainers import TrainerConfig
from ftrun_plugins.axolotl.config import schema
from ftrun_plugins.axolotl.config.build import OWNED
from ftrun_plugins.axolotl.config.defaults import offloads
from ftrun_plugins.axolotl.config.key_ranges import out_of_range
from ftrun_plugins.axolotl.config.unsupported_keys import unsupported
from ftrun_plugins.axolotl.train.trackers import chosen

OWN_STAGES = frozenset({"tokenize", "train", "merge"})


def check_trainer(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    """Yield everything that is wrong with the trainer's keys, also in a recipe that stops before it trains."""
    trains = bool(set(recipe.stages) & OWN_STAGES)
    yield from config.issues
    yield from _check_keys(recipe, config, complete=trains)
    if trains:
        for rule in RULES:
            yield from rule(recipe, config)


def _check_keys(recipe: Recipe, config: TrainerConfig, complete: bool) -> Iterator[Issue]:
    """Check each key by itself: whether ftrun runs it, its type, its range. A key fails one of these checks only."""
    checks = (
        unsupported(config.values, recipe.dataset.trainer),
        _against_schema(recipe, config, complete),
        out_of_range(config.values),
    )
    told: set[KeyPath] = {(key,) for key in OWNED}  # reported already, with what to write in their place
    for check in checks:
        found = [finding for finding in check if _key(finding.path) not in told]
        told |= {_key(finding.path) for finding in found}
        yield from (replace(finding, path=_recipe_path(finding.path, config)) for finding in found)


def _key(path: KeyPath) -> KeyPath:
    """The key of the trainer, or of its dataset entry, that a path leads to or into."""
    return path[:3] if path[:1] == ("datasets",) else path[:1]


def _against_schema(recipe: Recipe, config: TrainerConfig, complete: bool) -> Iterator[Issue]:
    """What the schema finds; what training would still need is not missing where nothing trains yet."""
    entry = {"path": "data", "type": "chat_template", **recipe.dataset.trainer}
    whole = {**config.values, "base_model": recipe.model.base_model, "datasets": [entry]}
    for found in schema.check(whole):
        if complete or (found.path and found.path[0] in whole):
            yield found


def _recipe_path(path: KeyPath, config: TrainerConfig) -> KeyPath:
    """Where in the recipe a key of the merged configuration came from."""
    if path[:2] == ("datasets", 0):
        return ("dataset", "trainer", *path[2:])
    origin = config.origins.get(str(path[0])) if path else None
    return (*origin, *path[1:]) if origin else ("train", *path)


def _lone_zero(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    resources = recipe.resources_of("train")
    alone = (resources.processes or resources.gpus) in (0, 1)
    if config.values.get("deepspeed") and alone and not offloads(config.values["deepspeed"]):
        yield Issue(
            "invalid-value",
            config.origins["deepspeed"],
            "DeepSpeed ZeRO shares a model between processes, and `train` has one",
            hint="leave the zero optimization out, ask for more GPUs, or choose zero3_offload",
            also=(("resources", "train"),),
        )


def _too_long(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    length, limit = config.values.get("sequence_len"), recipe.model.context_length
    if isinstance(length, int) and limit and length > limit:
        yield Issue(
            "invalid-value",
            config.origins["sequence_len"],
            f"sequence_len {length} is over the model's maximum of {limit} tokens",
            f"at most {limit}",
        )


def _too_short(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    """The trainer drops shorter rows after `tokenize` has counted them."""
    least, length = config.values.get("min_sample_len"), config.values.get("sequence_len")
    if isinstance(least, int) and isinstance(length, int) and least > length:
        yield Issue(
            "invalid-value",
            config.origins["min_sample_len"],
            f"min_sample_len {least} is over sequence_len {length}, so that every row is dropped",
            f"at most {length}",
        )


def _lone_checkpoint(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    if config.values.get("save_total_limit") == 1:
        yield Issue(
            "invalid-value",
            config.origins["save_total_limit"],
            "with save_total_limit 1 the trainer removes a checkpoint before the next is known to be whole",
            "2 or more",
        )


def _unpacked_evaluation(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    held_out = recipe.dataset.holds_out
    if config.values.get("eval_sample_packing") and not held_out:
        yield Issue(
            "conflicting-keys",
            config.origins["eval_sample_packing"],
            "there are no held-out rows to pack",
            hint="set dataset.split.held_out, or leave eval_sample_packing out",
        )
    for key in ("eval_steps", "evals_per_epoch", "eval_strategy"):
        if config.values.get(key) and not held_out:
            yield Issue(
                "conflicting-keys",
                config.origins[key],
                f"`{key}` asks for evaluations, and no rows are held out",
                hint="set dataset.split.held_out",
            )


def _tracker_without_package(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    """Axolotl only skips a tracker whose package is not there."""
    lock = recipe.environment["trainer"].lock if "trainer" in recipe.environment else None
    if lock is None or not lock.is_file():
        return
    locked = {line.partition("==")[0].lower() for line in lock.read_text(encoding="utf-8").splitlines()}
    for tracker, key in chosen(config.values):
        if tracker.package not in locked:
            yield Issue(
                "missing-package",
                config.origins[key],
                f"{tracker.name} needs the package {tracker.package}, which the trainer's lock does not have",
                hint="give a lock that has it: environment.trainer.lock=FILE",
            )


def _unpacked_positions(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    if config.values.get("use_pose") and not config.values.get("sample_packing"):
        yield Issue(
            "no-effect",
            config.origins["use_pose"],
            "`use_pose` has no effect without sample_packing: the trainer changes positions only while it packs",
            hint="add the optimization sample_packing, or leave use_pose out",
        )


def _missing_teacher(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    if config.values.get("kd_trainer") and not config.values.get("kd_online_server_base_url"):
        yield Issue(
            "missing-key",
            config.origins["kd_trainer"],
            "`kd_trainer` needs the probabilities of a teacher, which ftrun's rows do not hold",
            hint="set kd_online_server_base_url, the address of a server that runs the teacher",
        )


RULES: Iterable[Any] = (
    _lone_zero,
    _too_long,
    _too_short,
    _lone_checkpoint,
    _unpacked_evaluation,
    _unpacked_positions,
    _missing_teacher,
    _tracker_without_package,
)
