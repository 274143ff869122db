"""axolotl's own checks run on a CPU, before training: what it refuses there ends a plan and a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.backends import Hardware
from ftrun.api.config_dirs import own_folders, recipe_names
from ftrun.api.paths import Store
from ftrun.execution.engine import make_backend
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun_plugins.axolotl.config.check import RENAMED_OPTIMIZERS
from ftrun_plugins.axolotl.config.json_schema import NAME, definitions
from ftrun_plugins.axolotl.config.package_keys import PACKAGE_KEYS
from ftrun_plugins.local.backend import LocalBackend
from helpers.workplace import SCRIPTS, Workplace, in_trainer

pytestmark = pytest.mark.e2e

SMALL = ("recipe=quickstart", "model=tiny")
NO_PACKAGE = "an attention without its package"
# Faults that ftrun itself does not know: trainer keys, and the place that the message must have.
REFUSED: Mapping[str, tuple[dict[str, Any], str]] = {
    "qat and peft": ({"qat": {"activation_dtype": "int8"}, "peft": {"loftq_config": {"loftq_bits": 4}}}, "train.qat"),
    "gradients of no adapter": ({"lora_fp32_gradients": True, "adapter": None}, "train.lora_fp32_gradients"),
    "fp8 on an old GPU": ({"fp8": True}, "train.fp8"),
    "sage attention on an old GPU": ({"attn_implementation": "sage"}, "train"),
    NO_PACKAGE: ({"attn_implementation": "flash_attention_2"}, "train.attn_implementation"),
    # the last one, because axolotl keeps the plugins of a process
    "swanlab without a project": (
        {"plugins": ["axolotl.integrations.swanlab.SwanLabPlugin"], "use_swanlab": True},
        "train.use_swanlab",
    ),
}
GPUS = {"fp8 on an old GPU": "A100-80GB", "sage attention on an old GPU": "T4"}


def params_of(overrides: Sequence[str]) -> dict[str, Any]:
    """The parameters of the checks that a recipe plans on this machine."""
    recipe = load([*overrides, "stages=[check]"], plugins()).recipe
    plan = make_plan(recipe, plugins(), make_backend(recipe, plugins(), Store(Path("/nonexistent"))))
    return next(call.params for call in plan.calls if call.label == "check:config")


def optimizer_names() -> list[str]:
    """The optimizers that the schema of the trainer lists."""
    accepted = definitions()[NAME]["properties"]["optimizer"]["anyOf"]
    return [name for part in accepted for name in part.get("enum", ())]


def checked(cases: Mapping[str, dict[str, Any]], folder: Path, model: Path | None = None) -> dict[str, Any]:
    path = folder / "cases.json"
    path.write_text(
        json.dumps({name: {"params": params, "model": model and str(model)} for name, params in cases.items()})
    )
    found: dict[str, Any] = json.loads(in_trainer(SCRIPTS / "check_configs.py", [str(path)]).splitlines()[-1])
    return found


@pytest.fixture
def on_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans for GPUs that this machine does not have. The checks run without them, as on Modal."""

    def hardware(self: LocalBackend, stage: str, resources: Any) -> Hardware:
        return Hardware("gpu", resources.gpus or 1, "GPUs", resources.kinds_of_gpu or ("H100",))

    monkeypatch.setattr(LocalBackend, "hardware", hardware)


@pytest.mark.usefixtures("on_gpus")
def test_the_shipped_recipes_are_accepted_for_their_gpus(tmp_path: Path) -> None:
    names = recipe_names(own_folders().recipes or Path())
    found = checked({name: params_of([f"recipe={name}"]) for name in names}, tmp_path)
    assert len(found) > 20
    assert {name: outcome for name, outcome in found.items() if outcome["problems"] or outcome["warnings"]} == {}


@pytest.mark.usefixtures("on_gpus")
def test_what_axolotl_alone_refuses_is_reported_with_its_place(tmp_path: Path) -> None:
    cases = {}
    for name, (keys, _) in REFUSED.items():
        params = params_of([*SMALL, f"resources.train.gpu={GPUS.get(name, 'H100')}"])
        params["training"]["trainer"] |= keys
        params["origins"] |= {key: f"train.{key}" for key in keys}
        cases[name] = params
    found = checked(cases, tmp_path)
    for name, (_, place) in REFUSED.items():
        (problem,) = found[name]["problems"]
        assert problem["code"] == ("missing-package" if name == NO_PACKAGE else "refused-by-trainer")
        assert (problem["at"] or "train").startswith(place), name
    accepted = {name: {**case, "gpus": ["B200"]} for name, case in cases.items() if name in GPUS}
    assert checked({"fp8": accepted["fp8 on an old GPU"]}, tmp_path)["fp8"]["problems"] == []


# Names that the tiny model, a Llama of two layers, does not have; what is meant; and names that it has.
NAMES: Mapping[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "targets": ({"lora_target_modules": ["q_porj", "v_proj"]}, "q_proj", {"lora_target_modules": ["q_proj"]}),
    "pattern": (
        {"lora_target_modules": r"model\.layer\..*q_proj"},
        "q_proj",
        {"lora_target_modules": r"model\.layers\.\d+\.self_attn\.q_proj"},
    ),
    "saved": ({"lora_modules_to_save": ["embed_token"]}, "embed_tokens", {"lora_modules_to_save": ["embed_tokens"]}),
    "ranks": ({"lora_rank_pattern": {"q_prj": 4}}, "q_proj", {"lora_rank_pattern": {"q_proj": 4}}),
    "layers": ({"peft_layers_to_transform": [0, 70]}, "", {"peft_layers_to_transform": [0]}),
    "list of layers": (
        {"peft_layers_to_transform": [0], "peft_layers_pattern": ["layer"]},
        "layers",
        {"peft_layers_to_transform": [0], "peft_layers_pattern": ["layers"]},
    ),
    "unfrozen": (
        {"adapter": None, "unfrozen_parameters": ["model.layers.9[0-9]"]},
        "",
        {"adapter": None, "unfrozen_parameters": ["model.layers.0.mlp"]},
    ),
}


def test_names_of_modules_are_looked_up_in_the_model(tmp_path: Path, tiny: Path) -> None:
    base = params_of(SMALL)
    base["training"]["trainer"] |= {"lora_target_linear": False, "lora_target_modules": ["q_proj"]}

    def with_keys(keys: Mapping[str, Any]) -> dict[str, Any]:
        trainer = {key: value for key, value in {**base["training"]["trainer"], **keys}.items() if value is not None}
        return {**base, "training": {**base["training"], "trainer": trainer}}

    cases = {name: with_keys(wrong) for name, (wrong, _, _) in NAMES.items()}
    cases |= {f"{name}, mended": with_keys(right) for name, (_, _, right) in NAMES.items()}
    found = checked(cases, tmp_path, tiny)
    for name, (_, meant, _) in NAMES.items():
        (problem,) = found[name]["problems"]
        assert problem["code"] == "unknown-name", name
        assert not meant or meant in problem["did_you_mean"], name
        assert found[f"{name}, mended"] == {"problems": [], "warnings": []}, name


def test_a_training_of_several_processes_is_checked_in_one(tmp_path: Path, tiny: Path) -> None:
    cases = {
        option: params_of([*SMALL, f"optimizations=[lora,{option}]", "resources.train.processes=2"])
        for option in ("zero2", "zero3")
    }
    found = checked(cases, tmp_path, tiny)
    assert found == {name: {"problems": [], "warnings": []} for name in cases}


def test_a_plan_ends_with_what_axolotl_refuses(workplace: Workplace) -> None:
    wrong = ["recipe=tiny.yaml", "train.qat={activation_dtype: int8}", "train.peft={loftq_config: {loftq_bits: 4}}"]
    ended = workplace.run("plan", "--json", *wrong, expected=2)
    (problem,) = json.loads(ended.out)["problems"]
    assert (problem["code"], problem["at"]) == ("refused-by-trainer", "train.qat and train.peft")
    assert not workplace.runs()
    ended = workplace.run("plan", "--json", "recipe=tiny.yaml")
    state = {call["call"]: call["cached"] for call in json.loads(ended.out)["calls"]}
    assert state["check:config"]
    assert not state["train"]


@pytest.mark.slow
def test_each_optimizer_is_made_or_refused_before(tmp_path: Path) -> None:
    names = optimizer_names()
    (tmp_path / "names.json").write_text(json.dumps(names))
    failing = set(
        json.loads(in_trainer(SCRIPTS / "make_optimizers.py", [str(tmp_path / "names.json")]).splitlines()[-1])
    )
    assert len(failing) > 20

    refused = {name for entry in PACKAGE_KEYS if entry.key == "optimizer" for name in entry.values}
    assert failing == refused | set(RENAMED_OPTIMIZERS)
