"""What modal-labs/llm-finetuning configures, and what a recipe of ours renders in its place, as flat keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from ftrun.api.recipe import Recipe
from ftrun_plugins.axolotl.config.build import build_trainer_config
from ftrun_plugins.axolotl.config.defaults import with_defaults
from ftrun_plugins.axolotl.workspace import ALWAYS

PROJECT = Path(__file__).parents[2]
DATA = Path(os.environ.get("FTRUN_TEST_DATA") or PROJECT.parent / "shared" / "data")
FOLDER = DATA / "seed_configs"
THEIRS = {  # recipe -> file
    "codellama_sql": "codellama.yml",
    "llama3_sql": "llama-3.yml",
    "mistral_sql": "mistral.yml",
    "mistral_memorize": "mistral-memorize.yml",
    "mixtral_sql": "mixtral.yml",
    "mixtral_out_of_box": "mixtral_out_of_box.yml",
    "pythia_sql": "pythia.yml",
}
PREPARED = "prepared"  # as the stage `train` has it
COLUMNS = {"field_instruction": "question", "field_input": "context", "field_output": "answer"}


def theirs(name: str) -> dict[str, Any]:
    """Their configuration; null says the same as an absent key."""
    values: dict[str, Any] = yaml.safe_load((FOLDER / THEIRS[name]).read_text())
    return flat(values)


def rendered(recipe: Recipe) -> dict[str, Any]:
    """The trainer's keys with those that ftrun fills in itself, in the trainer's own words."""
    values = with_defaults(build_trainer_config(recipe).set_values())
    if "deepspeed" in values:  # the file they name is this configuration under a name
        values["deepspeed"] = f"stage {values['deepspeed']['zero_optimization']['stage']}"
    return flat(
        {
            **values,
            **ALWAYS,
            "dataset_prepared_path": PREPARED,
            "base_model": recipe.model.base_model,
            "trust_remote_code": recipe.model.trust_remote_code,
            "val_set_size": recipe.dataset.split.held_out,
            "datasets": [_dataset(recipe)],
        }
    )


def _dataset(recipe: Recipe) -> dict[str, Any]:
    """A template of ours as axolotl's custom format: its words for our columns."""
    options = recipe.dataset.formatter.options
    prompt = str(options["prompt"])
    for word, column in (("instruction", "question"), ("input", "context")):
        prompt = prompt.replace("{" + column + "}", "{" + word + "}")
    answer = str(options["answer"]).strip("{}")
    return {
        "path": recipe.dataset.source.options["url"],
        "limit": recipe.dataset.limit,
        "type": {**COLUMNS, "field_output": answer, "format": prompt},
    }


def flat(values: Any, path: str = "") -> dict[str, Any]:
    """Nested mappings, and lists of them, with dots in their keys; numbers that YAML reads as text as numbers."""
    if isinstance(values, dict):
        inside = [(str(key), value) for key, value in values.items()]
    elif isinstance(values, list) and any(isinstance(item, dict) for item in values):
        inside = [(str(number), value) for number, value in enumerate(values)]
    else:
        return {} if values is None else {path: values.strip() if isinstance(values, str) else values}
    found: dict[str, Any] = {}
    for key, value in inside:
        found |= flat(value, f"{path}.{key}" if path else key)
    return found
