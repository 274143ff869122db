"""Numbers of the trainer that train nothing, ruin the weights or fail late are refused when the recipe is read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.recipe.load import Loaded
from ftrun_plugins.axolotl.config import schema
from ftrun_plugins.axolotl.config.build import build_trainer_config
from ftrun_plugins.axolotl.config.json_schema import definitions
from ftrun_plugins.axolotl.config.key_ranges import RANGES, UNBOUNDED
from ftrun_plugins.axolotl.config.key_readers import KEYS_BY_READER
from ftrun_plugins.axolotl.config.number_range import Range
from ftrun_plugins.axolotl.config.range_check import ITEM, PATHS, check_ranges
from helpers.numeric_keys import bounds, numeric_keys

Loading = Callable[..., Loaded]

LR_GROUPS = "override train.lr_groups=[{name: a, modules: [q_proj], lr: 2}]"
REFUSED = {
    "num_epochs": (0, -1, -0.5),
    "max_steps": (0, -2),
    "micro_batch_size": (0, -1),
    "gradient_accumulation_steps": (0, -1),
    "eval_batch_size": (0,),
    "sequence_len": (0, -512, 1),
    "sample_packing_bin_size": (0,),
    "sample_packing_group_size": (0,),
    "sample_packing_eff_est": (0, 1.5),
    "learning_rate": (0, -1e-4, 1.01, 10, "'0'", "'-1e-4'", "'1e400'", "'20'"),
    "embedding_lr": (-1e-4, 2),
    "embedding_lr_scale": (-1,),
    "loraplus_lr_ratio": (0, -16),
    "loraplus_lr_embedding": (-1e-6, 2),
    "dion_lr": (0, 2),
    "weight_decay": (-0.1,),
    "max_grad_norm": (-1,),
    "adam_beta1": (-0.1, 1),
    "adam_beta2": (-0.1, 1),
    "adam_beta3": (-0.1, 1),
    "adam_epsilon": (0, -1e-8),
    "adam_epsilon2": (0,),
    "neftune_noise_alpha": (0, -5),
    "seed": (-1, 2**32),
    "warmup_steps": (-1,),
    "warmup_ratio": (-0.1, 1.1),
    "cosine_min_lr_ratio": (-0.1, 1.1),
    "cosine_constant_lr_ratio": (-0.1, 1.1),
    "lora_r": (0, -8),
    "lora_alpha": (0, -16),
    "lora_dropout": (-0.1, 1, 1.5),
    "logging_steps": (0, -1),
    "save_steps": (-1, -0.1, 2.5),
    "eval_steps": (-1, -0.1, 1.5),
    "saves_per_epoch": (-1,),
    "evals_per_epoch": (-1,),
    "early_stopping_patience": (-1,),
    "loss_watchdog_threshold": (0, -1),
    "loss_watchdog_patience": (-1,),
    "torch_empty_cache_steps": (0,),
    "dataloader_num_workers": (-1,),
    "dataset_num_proc": (0,),
}
ACCEPTED = {
    "num_epochs": (0.01, 3),
    "max_steps": (1, -1, "null"),
    "sequence_len": (8,),
    "learning_rate": (1, 1e-12, "'2e-5'"),
    "weight_decay": (0,),
    "max_grad_norm": (0,),
    "adam_beta1": (0,),
    "seed": (0, 2**32 - 1),
    "warmup_steps": (0,),
    "warmup_ratio": (0, 1),
    "lora_dropout": (0, 0.99),
    "save_steps": (0, 0.25, 100, 20.0),
    "eval_steps": (0,),
    "evals_per_epoch": (0,),
    "early_stopping_patience": (0,),
    "dataloader_num_workers": (0,),
}


def rounds(table: dict[str, tuple[object, ...]]) -> list[dict[str, object]]:
    """The first value of each key, then the second of those that have one, and so on: each recipe is read once."""
    longest = max(map(len, table.values()))
    return [{key: values[at] for key, values in table.items() if at < len(values)} for at in range(longest)]


SCHEMA = json.loads(Path(schema.__file__).with_name("schema.json").read_text(encoding="utf-8"))
NUMERIC = numeric_keys(SCHEMA)
UNREAD = KEYS_BY_READER["unread"] | KEYS_BY_READER["ftrun"]  # refused, whatever the number


def test_each_numeric_key_has_a_range_or_a_reason() -> None:
    read = {key: options for key, options in NUMERIC.items() if re.split(r"[.\[]", key)[0] not in UNREAD}
    assert len(read) > 140
    unclassified = (
        {key for key, options in read.items() if not all(map(bounds, options))} - set(RANGES) - set(UNBOUNDED)
    )
    assert sorted(unclassified) == []


def test_each_range_and_reason_is_that_of_a_numeric_key() -> None:
    assert sorted((set(RANGES) | set(UNBOUNDED)) - set(NUMERIC)) == []
    assert not set(RANGES) & set(UNBOUNDED)


def outside(allowed: Range) -> list[float]:
    """The nearest numbers outside of a range, and infinity."""
    below = [allowed.gt] if allowed.gt is not None else [] if allowed.ge is None else [allowed.ge - 1]
    above = [allowed.lt] if allowed.lt is not None else [] if allowed.le is None else [allowed.le + 1]
    return [*below, *above, float("inf")]


def nest(parts: tuple[str, ...], value: object) -> object:
    if not parts:
        return value
    inner = nest(parts[1:], value)
    return [inner] if parts[0] == ITEM else {parts[0]: inner}


@pytest.mark.parametrize("key", RANGES)
def test_numbers_outside_are_found_at_every_depth(key: str) -> None:
    numbers = outside(RANGES[key])
    assert len(numbers) > 1
    for number in numbers:
        config = nest(PATHS[key], number)
        assert isinstance(config, dict)
        (issue,) = check_ranges(config)
        assert issue.path == tuple(0 if part == ITEM else part for part in PATHS[key])


def test_a_nested_number_has_its_place(loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading("train.lr_groups=[{name: a, modules: [q_proj], lr: 2}]", more="  qat:\n    group_size: 0\n")
    found = {problem.what.split("`")[1]: problem.at for problem in caught.value.problems}
    assert found == {"lr_groups[0].lr": LR_GROUPS, "qat.group_size": "mine.yaml:14:5"}


def test_the_exported_schema_has_the_bounds_of_nested_numbers() -> None:
    known = definitions()
    assert known["axolotl.LrGroup"]["properties"]["lr"]["maximum"] == 1
    assert "minimum" in json.dumps(known["axolotl.QATConfig"]["properties"]["group_size"])


@pytest.mark.parametrize("values", rounds(REFUSED), ids=lambda values: f"{len(values)} keys")
def test_numbers_outside_their_range_are_refused(values: dict[str, object], loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading(*(f"train.{key}={value}" for key, value in values.items()))

    problems = {problem.at: problem for problem in caught.value.problems}
    assert len(problems) == len(caught.value.problems) == len(values)
    for key, value in values.items():
        problem = problems[f"override train.{key}={value}"]
        assert problem.what.startswith(f"`{key}` is {value}, which ")
        assert problem.expected == str(RANGES[key])


@pytest.mark.parametrize("values", rounds(ACCEPTED), ids=lambda values: f"{len(values)} keys")
def test_numbers_in_their_range_are_accepted(values: dict[str, object], loading: Loading) -> None:
    counts = [key for key in ("eval_steps", "evals_per_epoch") if values.get(key)]
    evaluates = {} if counts else {"eval_strategy": "epoch"}
    loading("dataset.split.validation=0.1", *(f"train.{key}={value}" for key, value in {**values, **evaluates}.items()))


def test_axolotls_own_defaults_are_accepted() -> None:
    file = Path(schema.__file__).with_name("schema.json")
    properties = json.loads(file.read_text(encoding="utf-8"))["properties"]
    defaults = {key: properties[key]["default"] for key in RANGES if "default" in properties.get(key, {})}
    defaults = {key: default for key, default in defaults.items() if isinstance(default, (int, float))}
    assert len(defaults) >= 5
    assert [key for key, default in defaults.items() if not RANGES[key].accepts(default)] == []


def test_the_place_is_that_of_the_fragment_which_set_the_number(loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading(
            "optimizations.lora.lora_r=0", "+model.trainer.seed=-1", more="  weight_decay: -1\ngenerate: {seed: 1}\n"
        )
    found = {problem.what.split("`")[1]: problem.at for problem in caught.value.problems}
    assert found == {
        "lora_r": "override optimizations.lora.lora_r=0",
        "seed": "override +model.trainer.seed=-1",
        "weight_decay": "mine.yaml:13:3",
    }


def test_a_value_of_another_type_is_reported_once(loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading("train.micro_batch_size='0'")
    (problem,) = caught.value.problems
    assert problem.what == "`micro_batch_size` must be a whole number, not '0'"


def test_a_number_that_is_replaced_is_not_refused(loading: Loading) -> None:
    loading("+optimizations.lora.weight_decay=-1", "train.weight_decay=0.1")


def test_what_transformers_reads_as_unset_is_left_out(loading: Loading) -> None:
    """Given as it is, axolotl would take `warmup_ratio` of -1 steps: none."""
    assert "max_steps" not in build_trainer_config(loading("train.max_steps=-1").recipe).set_values()
    assert build_trainer_config(loading("train.max_steps=7").recipe).set_values()["max_steps"] == 7


@pytest.mark.parametrize(
    ("allowed", "text"),
    [
        (Range("x", gt=0), "greater than 0"),
        (Range("x", "rows", ge=1), "at least 1 (rows)"),
        (Range("x", ge=0, lt=1), "at least 0 and less than 1"),
        (Range("x", ge=0, le=2**32 - 1), "at least 0 and at most 4,294,967,295"),
        (Range("x", "steps", ge=0, whole_above=1), "at least 0, and whole if above 1 (steps)"),
    ],
)
def test_a_range_says_what_it_accepts(allowed: Range, text: str) -> None:
    assert str(allowed) == text


def test_nan_and_infinity_are_in_no_range() -> None:
    assert not any(allowed.accepts(float("nan")) for allowed in RANGES.values())
    assert not RANGES["learning_rate"].accepts(float("inf"))
