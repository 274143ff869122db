"""Merge a recipe into one axolotl configuration and record the origin of each key.

The keys of `model.trainer` come first, then those of the optimizations, then those of `train`. Later keys win.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ftrun.api.base import reserved_variables
from ftrun.api.issues import Issue, KeyPath
from ftrun.api.recipe import Recipe
from ftrun.api.trainers import TrainerConfig
from ftrun.utils.schema_messages import format_value
from ftrun_plugins.axolotl.config.file_keys import read_files

# Keys that only ftrun sets, with the advice for recipes that contain them.
RESERVED_KEYS = {
    "base_model": "name the model in the group `model`",
    "datasets": "describe the data in the group `dataset`; keys of axolotl's dataset entry go into dataset.trainer",
    "test_datasets": "use dataset.held_out or dataset.split",
    "val_set_size": "use dataset.split.held_out: ftrun splits by row content, before tokenizing",
    "dataset_prepared_path": "ftrun keeps prepared data in its store",
    "output_dir": "ftrun keeps results in its store; `ftrun show` names the folder",
    "lora_model_dir": "ftrun finds the adapter by its key",
    "resume_from_checkpoint": "`ftrun resume` continues from the last complete checkpoint",
    "auto_resume_from_checkpoints": "ftrun always resumes",
    "trust_remote_code": "set model.trust_remote_code",
    "revision_of_model": "set model.revision",
    "model_revision": "set model.revision",
    "hub_model_id": "ftrun does not push to the hub",
    "push_dataset_to_hub": "ftrun does not push to the hub",
    "pretraining_dataset": "use the formatter `completion`",
}

TEMPLATE = "chat_template_kwargs"  # the recipe sets it as `model.template`

# Values that transformers treats like an absent key. axolotl would derive the warmup steps from them and get none.
UNSET_VALUES = {"max_steps": -1}


def build_trainer_config(recipe: Recipe) -> TrainerConfig:
    """Merge the trainer keys of a recipe. Conflicts become issues; the schema is not checked here."""
    values: dict[str, Any] = {}
    origins: dict[str, KeyPath] = {}
    issues = list(_find_reserved_keys(recipe))
    for key, value in recipe.model.trainer.items():
        values[key], origins[key] = value, ("model", "trainer", key)
    by_optimization, conflicts = _merge_optimizations(recipe)
    issues += conflicts
    for key, (value, path) in by_optimization.items():
        values[key], origins[key] = value, path
    overridden = []
    for key, value in recipe.train.items():
        old = by_optimization.get(key)
        if key == "plugins" and old:
            value = _merge_lists(old[0], value)
        elif old and old[0] != value:
            overridden.append(f"train.{key}={value} replaces {old[0]} of {old[1][1]}")
        values[key], origins[key] = value, ("train", key)
    overridden += _select_target_modules(values, origins)
    issues += _set_template(recipe, values, origins)
    issues += read_files(values, origins)
    values.update((key, None) for key, unset in UNSET_VALUES.items() if values.get(key) == unset)
    return TrainerConfig(values, origins, tuple(overridden), tuple(issues), TEMPLATE)


def _set_template(recipe: Recipe, values: dict[str, Any], origins: dict[str, KeyPath]) -> Iterator[Issue]:
    """Set the variables of the chat template, and yield an issue if a trainer key sets them to other values."""
    variables, old = recipe.model.template, values.get(TEMPLATE)
    if isinstance(old, Mapping) and (taken := reserved_variables(old)):
        what = f"`{taken[0]}` is set by ftrun, and cannot be a variable of the chat template"
        yield Issue("invalid-value", (*origins[TEMPLATE], taken[0]), what)
    if not variables:
        return
    if old and old != variables:
        what = f"`{TEMPLATE}` is {old!r}, but `model.template` is {variables!r}"
        also: tuple[KeyPath, ...] = (("model", "template"),)
        hint = f"remove `{TEMPLATE}`; training, evaluations and servers use `model.template`"
        yield Issue("conflicting-keys", origins[TEMPLATE], what, hint=hint, also=also)
    values[TEMPLATE], origins[TEMPLATE] = dict(variables), ("model", "template")


def _select_target_modules(values: dict[str, Any], origins: Mapping[str, KeyPath]) -> Iterator[str]:
    """Disable `lora_target_linear` of an optimization if the recipe chooses modules, and yield a note.

    axolotl adds the modules to all linear ones, so that choosing some of these has no effect.
    """
    origin = origins.get("lora_target_linear", ())
    if values.get("lora_target_linear") and values.get("lora_target_modules") and origin[:1] == ("optimizations",):
        values["lora_target_linear"] = False
        yield f"lora_target_modules replaces lora_target_linear of {origin[1]}"


def _find_reserved_keys(recipe: Recipe) -> Iterator[Issue]:
    parts = [(("train",), recipe.train), (("model", "trainer"), recipe.model.trainer)]
    parts += [(("optimizations", name), fragment) for name, fragment in recipe.optimizations.items()]
    for path, fragment in parts:
        for key in fragment:
            if key in RESERVED_KEYS:
                yield Issue("reserved-key", (*path, key), f"`{key}` is set by ftrun", hint=RESERVED_KEYS[key])


def _merge_optimizations(recipe: Recipe) -> tuple[dict[str, tuple[Any, KeyPath]], list[Issue]]:
    """Return the keys of all optimizations with value and origin, and an issue for each conflict.

    The lists of `plugins` are merged. Different values of any other key are a conflict, unless `train` sets the key.
    """
    merged: dict[str, tuple[Any, KeyPath]] = {}
    conflicts = []
    for name, fragment in recipe.optimizations.items():
        for key, value in fragment.items():
            path: KeyPath = ("optimizations", name, key)
            if key not in merged:
                merged[key] = (value, path)
            elif key == "plugins":
                merged[key] = (_merge_lists(merged[key][0], value), path)
            elif merged[key][0] != value:
                old, old_path = merged[key]
                if old is None:
                    merged[key] = (value, path)  # so that later checks report no consequences of the conflict
                what = f"the optimizations `{old_path[1]}` and `{name}` disagree on `{key}`: "
                what += f"{format_value(old)} and {format_value(value)}"
                conflicts.append(
                    Issue(
                        "conflicting-keys",
                        path,
                        what,
                        hint=f"choose one of them, or set train.{key}=…",
                        also=(old_path,),
                    )
                )
    unresolved = [conflict for conflict in conflicts if conflict.path[-1] not in recipe.train]
    return merged, unresolved


def _merge_lists(first: Any, second: Any) -> list[Any]:
    return list(dict.fromkeys([*(first or []), *(second or [])]))
