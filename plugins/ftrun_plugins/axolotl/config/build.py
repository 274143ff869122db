"""Merges a recipe into one axolotl configuration: model, then optimizations, then `train`; each key with its origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ftrun.api.issues import Issue, KeyPath
from ftrun.api.recipe import Recipe
from ftrun.api.trainers import TrainerConfig

# Keys that ftrun fills in itself, and what a recipe says in their place.
OWNED = {
    "base_model": "name the model in the group `model`",
    "datasets": "describe the data in the group `dataset`; keys of axolotl's dataset entry go into dataset.trainer",
    "test_datasets": "use dataset.held_out or dataset.split",
    "val_set_size": "use dataset.split.held_out: ftrun splits by row content, before tokenizing",
    "dataset_prepared_path": "ftrun keeps prepared data in its store",
    "output_dir": "ftrun keeps results in its store; `ftrun show` names the folder",
    "lora_model_dir": "ftrun finds the adapter by its key",
    "resume_from_checkpoint": "`ftrun resume` goes on from the last whole checkpoint",
    "auto_resume_from_checkpoints": "ftrun always resumes",
    "trust_remote_code": "set model.trust_remote_code",
    "revision_of_model": "set model.revision",
    "model_revision": "set model.revision",
    "hub_model_id": "ftrun does not push to the hub",
    "push_dataset_to_hub": "ftrun does not push to the hub",
    "pretraining_dataset": "use the formatter `completion`",
}

# Values that transformers reads as an absent key. axolotl would derive warmup steps from them, and get none.
UNSET = {"max_steps": -1}

# What has an influence on token ids, labels, or which rows are kept: the whole of what `tokenize` may read.
TOKENIZE_KEYS = (
    "sequence_len", "chat_template", "chat_template_jinja", "chat_template_kwargs", "default_system_message",
    "special_tokens", "tokens", "added_tokens_overrides", "tokenizer_type", "tokenizer_use_fast", "tokenizer_legacy",
    "tokenizer_use_mistral_common", "train_on_inputs", "eot_tokens", "excess_length_strategy",
)  # fmt: skip


def tokenize_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys that `tokenize` may read, and no others."""
    return {key: values[key] for key in TOKENIZE_KEYS if values.get(key) is not None}


def build_trainer_config(recipe: Recipe) -> TrainerConfig:
    """Merges without checking against the schema; what cannot be merged is among the findings."""
    values: dict[str, Any] = {}
    origins: dict[str, KeyPath] = {}
    findings = list(_owned(recipe))
    for key, value in recipe.model.trainer.items():
        values[key], origins[key] = value, ("model", "trainer", key)
    by_optimization, more = _optimizations(recipe)
    findings += more
    for key, (value, path) in by_optimization.items():
        values[key], origins[key] = value, path
    overridden = []
    for key, value in recipe.train.items():
        old = by_optimization.get(key)
        if key == "plugins" and old:
            value = _united(old[0], value)
        elif old and old[0] != value:
            overridden.append(f"train.{key}={value} replaces {old[0]} of {old[1][1]}")
        values[key], origins[key] = value, ("train", key)
    values.update((key, None) for key, unset in UNSET.items() if values.get(key) == unset)
    return TrainerConfig(values, origins, tuple(overridden), tuple(findings))


def _owned(recipe: Recipe) -> Iterator[Issue]:
    parts = [(("train",), recipe.train), (("model", "trainer"), recipe.model.trainer)]
    parts += [(("optimizations", name), fragment) for name, fragment in recipe.optimizations.items()]
    for path, fragment in parts:
        for key in fragment:
            if key in OWNED:
                yield Issue("reserved-key", (*path, key), f"`{key}` is not a recipe's to set", hint=OWNED[key])


def _optimizations(recipe: Recipe) -> tuple[dict[str, tuple[Any, KeyPath]], list[Issue]]:
    """Keys of all optimizations with value and origin; `plugins` are united, any other disagreement is a finding."""
    found: dict[str, tuple[Any, KeyPath]] = {}
    findings = []
    for name, fragment in recipe.optimizations.items():
        for key, value in fragment.items():
            path: KeyPath = ("optimizations", name, key)
            if key not in found:
                found[key] = (value, path)
            elif key == "plugins":
                found[key] = (_united(found[key][0], value), path)
            elif found[key][0] != value:
                old, old_path = found[key]
                what = f"the optimizations `{old_path[1]}` and `{name}` disagree on `{key}`: {old!r} and {value!r}"
                findings.append(
                    Issue(
                        "conflicting-keys",
                        path,
                        what,
                        hint=f"choose one of them, or decide by train.{key}=…",
                        also=(old_path,),
                    )
                )
    undecided = [finding for finding in findings if finding.path[-1] not in recipe.train]
    return found, undecided


def _united(first: Any, second: Any) -> list[Any]:
    return list(dict.fromkeys([*(first or []), *(second or [])]))
