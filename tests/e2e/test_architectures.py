"""The shipped recipes name matrices that their models have, and ask for kernels that fit them.

A rehearsal cannot see it, for it trains another, tiny model.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftrun.api.config_dirs import own_folders, recipe_names
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun_plugins.axolotl.config.build import build_trainer_config
from ftrun_plugins.axolotl.config.defaults import axolotl_enables_kernels, with_defaults
from helpers.workplace import SCRIPTS, in_trainer

pytestmark = pytest.mark.e2e

# What the models of conf/model are, as their config.json says in `model_type`.
TYPES = {
    "codellama_7b_instruct": "llama",
    "gemma3_1b_instruct": "gemma3_text",
    "llama3_1_8b_instruct": "llama",
    "llama3_2_1b_instruct": "llama",
    "llama3_3_70b_instruct": "llama",
    "llama3_8b": "llama",
    "mistral_7b": "mistral",
    "mistral_7b_instruct": "mistral",
    "mistral_small_24b_instruct": "mistral",
    "mixtral_8x7b": "mixtral",
    "mixtral_8x7b_instruct": "mixtral",
    "phi4_14b": "phi3",
    "pythia_1_4b": "gpt_neox",
    "qwen2_5_0_5b_instruct": "qwen2",
    "qwen2_5_32b_instruct": "qwen2",
    "qwen2_5_7b_instruct": "qwen2",
    "qwen3_4b_instruct": "qwen3",
    "qwen3_8b_base": "qwen3",
    "smollm2_135m_instruct": "llama",
    "smollm3_3b_base": "smollm3",
    "tiny": "llama",
}
SCRIPT = SCRIPTS / "check_architectures.py"


@pytest.mark.slow
def test_all_recipes_fit_their_models(tmp_path: Path) -> None:
    names = recipe_names(own_folders().recipes or Path())
    cases = []
    for name in names:
        loaded = load([f"recipe={name}"], plugins())
        config = with_defaults(build_trainer_config(loaded.recipe).set_values())
        model = str(loaded.composed.chosen("model")[0])
        cases.append({"architecture": TYPES[model], "config": config, "kernels": axolotl_enables_kernels(config)})
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    found = json.loads(in_trainer(SCRIPT, [str(tmp_path / "cases.json")], seconds=400).splitlines()[-1])
    assert {name: faults for name, faults in zip(names, found, strict=True) if faults} == {}
