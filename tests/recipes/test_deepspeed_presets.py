"""The options `zero*` differ from the DeepSpeed configurations of axolotl only where a reason is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ftrun.recipe.load import Loaded

TABLE = yaml.safe_load(Path(__file__).with_name("deepspeed_presets.yaml").read_text(encoding="utf-8"))
ROOT = Path(__file__).parents[2]
Difference = tuple[str, str, Any, Any]  # preset, key, value of axolotl, value of ftrun


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def load_option(name: str) -> dict[str, Any]:
    file = ROOT / "conf" / "optimizations" / f"{name}.yaml"
    return dict(flatten(yaml.safe_load(file.read_text(encoding="utf-8"))[name]["deepspeed"]))


def find_differences() -> Iterator[Difference]:
    for preset, sides in TABLE["presets"].items():
        ours, theirs = load_option(sides["ours"]), sides["theirs"]
        for key in {*ours, *theirs}:
            if ours.get(key) != theirs.get(key):
                yield preset, key, theirs.get(key), ours.get(key)


def test_each_difference_is_in_the_table_with_a_reason() -> None:
    known = {
        (preset, entry["key"], entry.get("theirs"), entry.get("ours"))
        for entry in TABLE["differences"]
        for preset in entry["presets"]
        if entry["why"]
    }
    assert set(find_differences()) == known


def test_each_option_is_compared() -> None:
    options = {file.stem for file in (ROOT / "conf" / "optimizations").glob("zero*.yaml")}
    assert {sides["ours"] for sides in TABLE["presets"].values()} == options


def test_the_page_has_each_reason() -> None:
    page = " ".join((ROOT / "docs" / "reference" / "recipes.md").read_text(encoding="utf-8").split())
    assert [entry["why"] for entry in TABLE["differences"] if entry["why"] not in page] == []


def test_offloading_keeps_the_optimizer(loading: Callable[..., Loaded]) -> None:
    recipe = loading("optimizations=[lora,zero3_offload]", "resources.train.gpu=1").recipe
    deepspeed = recipe.optimizations["zero3_offload"]["deepspeed"]
    assert (deepspeed["zero_force_ds_cpu_optimizer"], deepspeed["zero_allow_untested_optimizer"]) == (False, True)


def test_the_optimizer_states_can_stay_on_the_gpu(loading: Callable[..., Loaded]) -> None:
    key = "optimizations.zero3_offload.deepspeed.zero_optimization.offload_optimizer"
    recipe = loading("optimizations=[lora,zero3_offload]", "resources.train.gpu=1", f"~{key}").recipe
    zero = recipe.optimizations["zero3_offload"]["deepspeed"]["zero_optimization"]
    assert ("offload_optimizer" in zero, "offload_param" in zero) == (False, True)


@pytest.mark.parametrize("entry", TABLE["differences"], ids=lambda entry: str(entry["key"]))
def test_a_difference_has_a_value_on_one_side(entry: Mapping[str, Any]) -> None:
    assert entry.get("theirs") != entry.get("ours")
