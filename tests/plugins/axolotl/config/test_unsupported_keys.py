"""Keys that select what ftrun's stages cannot run are refused, each with the reason and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.recipe.load import Loaded
from ftrun_plugins.axolotl.config import schema
from ftrun_plugins.axolotl.config.build import RESERVED_KEYS
from ftrun_plugins.axolotl.config.key_ranges import RANGES
from ftrun_plugins.axolotl.config.unsupported_keys import (
    UNSUPPORTED,
    UNSUPPORTED_ENTRY_KEYS,
    UNSUPPORTED_PLUGINS,
    UNSUPPORTED_VALUES,
)
from helpers.catalogue.case import is_about

Loading = Callable[..., Loaded]

SCHEMA = json.loads(Path(schema.__file__).with_name("schema.json").read_text(encoding="utf-8"))
PROPERTIES: dict[str, Any] = SCHEMA["properties"]
ENTRY: dict[str, Any] = SCHEMA["$defs"]["SFTDataset"]["properties"]
VALUES = {"boolean": "true", "integer": "1", "number": "0.5", "string": "x", "array": "[x]", "object": "{}"}
# The keys that name a method: none may get lost when the table is rearranged.
METHODS = (
    "rl", "trl", "dpo_beta", "kto_desirable_weight", "orpo_alpha", "simpo_gamma", "rl_beta", "reward_model",
    "process_reward_model", "processor_type", "image_size", "streaming", "skip_prepare_dataset", "diffusion_lm",
    "diffusion", "use_ray", "vllm", "batch_size",
)  # fmt: skip


def selecting(key: str, properties: dict[str, Any]) -> str:
    """A value that the key's schema accepts and that selects something."""
    options = properties[key].get("anyOf", [properties[key]])
    option = options[0]
    if "$ref" in option:
        option = SCHEMA["$defs"][option["$ref"].rpartition("/")[2]]
    return str(option["enum"][0]) if "enum" in option else VALUES[option.get("type", "string")]


def test_each_key_is_one_of_the_pinned_trainer() -> None:
    assert set(UNSUPPORTED) <= schema.known_keys()
    assert set(UNSUPPORTED_ENTRY_KEYS) <= set(ENTRY)


def test_each_value_is_one_of_the_pinned_trainer() -> None:
    for key, value in UNSUPPORTED_VALUES:
        assert value in PROPERTIES[key]["anyOf"][0]["enum"]


def test_each_key_is_in_one_table_only() -> None:
    assert not set(UNSUPPORTED) & (set(RESERVED_KEYS) | set(RANGES))


def test_methods_of_other_pipelines_are_in_the_table() -> None:
    assert set(METHODS) <= set(UNSUPPORTED)


def test_each_key_is_refused_at_its_override(loading: Loading) -> None:
    refused = {f"+train.{key}={selecting(key, PROPERTIES)}": (key, why) for key, why in UNSUPPORTED.items()}
    refused |= {
        f"+dataset.trainer.{key}={selecting(key, ENTRY)}": (f"dataset.trainer.{key}", why)
        for key, why in UNSUPPORTED_ENTRY_KEYS.items()
    }
    with pytest.raises(InvalidInput) as caught:
        loading(*refused)

    problems = {problem.at: problem for problem in caught.value.problems}
    assert len(problems) == len(caught.value.problems) == len(refused)
    for override, (name, why) in refused.items():
        problem = problems[f"override {override}"]
        assert problem.what.startswith(f"`{name}` is ")
        assert problem.what.endswith(f", but {why.reason}")
        assert problem.hint == why.hint


@pytest.mark.parametrize(("key", "value"), UNSUPPORTED_VALUES)
def test_each_value_is_refused(key: str, value: str, loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading(f"train.{key}={value}")
    (problem,) = caught.value.problems
    assert problem.what == f"`{key}` is '{value}', but {UNSUPPORTED_VALUES[key, value].reason}"


@pytest.mark.parametrize("fragment", ["model.trainer", "optimizations.lora"])
def test_a_key_of_a_fragment_is_refused_at_its_place(fragment: str, loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading(f"+{fragment}.rl=dpo")
    (problem,) = caught.value.problems
    assert problem.at == f"override +{fragment}.rl=dpo"


def test_a_value_that_selects_nothing_is_accepted(loading: Loading) -> None:
    booleans = [key for key in UNSUPPORTED if "boolean" in json.dumps(PROPERTIES[key])]
    assert {"reward_model", "streaming", "use_ray"} <= set(booleans)
    loading(*(f"train.{key}={'false' if key in booleans else 'null'}" for key in UNSUPPORTED if _takes_nothing(key)))


def _takes_nothing(key: str) -> bool:
    return "boolean" in json.dumps(PROPERTIES[key]) or '"null"' in json.dumps(PROPERTIES[key])


@pytest.mark.parametrize("name", UNSUPPORTED_PLUGINS)
@pytest.mark.parametrize("spelling", ["axolotl.integrations.some.{}", "axolotl.integrations.some:{}"])
def test_a_plugin_of_another_method_is_refused(name: str, spelling: str, loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading(f"train.plugins=['{spelling.format(name)}']")
    (problem,) = caught.value.problems
    assert problem.what == f"`plugins` has {name}, but {UNSUPPORTED_PLUGINS[name].reason}"


def test_each_plugin_is_one_of_the_pinned_trainer() -> None:
    known = {item["x-plugin"].rpartition(".")[2] for item in PROPERTIES.values() if "x-plugin" in item}
    assert set(UNSUPPORTED_PLUGINS) <= known


def test_a_recipe_that_stops_before_it_trains_is_checked_too(loading: Loading) -> None:
    with pytest.raises(InvalidInput, match="`streaming` is true"):
        loading("stages=[fetch,format]", "train.streaming=true", "evals=[]")


PACKED = "optimizations=[lora,sample_packing]"
DISTILLED = ("train.plugins=[axolotl.integrations.kd.KDPlugin]", "train.kd_trainer=1")


def test_positions_that_only_packing_changes_need_packing(loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading("train.use_pose=true")
    (problem,) = caught.value.problems
    assert is_about(problem.code, problem.what, "no-effect `use_pose`")
    loading("train.use_pose=true", PACKED)


def test_distillation_needs_the_address_of_a_teacher(loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading(*DISTILLED)
    (problem,) = caught.value.problems
    assert is_about(problem.code, problem.what, "missing-key `kd_trainer`")
    loading(*DISTILLED, "train.kd_online_server_base_url=http://localhost:8000", "train.kd_online_topk=8")
