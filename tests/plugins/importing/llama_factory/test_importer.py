"""The importer of LLaMA-Factory keeps the meaning of a configuration, its defaults included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ftrun.cli.main import run_command
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun_plugins.importing.commands import import_file
from ftrun_plugins.importing.draft import RecipeDraft
from ftrun_plugins.importing.llama_factory.templates import LINE_BREAK

BASE: dict[str, Any] = {
    "model_name_or_path": "org/base",
    "stage": "sft",
    "do_train": True,
    "dataset": "talks",
    "template": "chatml",
    "bf16": True,
}
INFO: dict[str, Any] = {
    "talks": {"file_name": "talks.json", "formatting": "sharegpt"},
    "rows": {"file_name": "rows.json"},
    "held": {"file_name": "held.json", "formatting": "sharegpt"},
    "pairs": {"file_name": "pairs.json", "ranking": True},
    "labels": {"file_name": "labels.json", "columns": {"kto_tag": "label"}},
    "images": {"file_name": "images.json", "columns": {"images": "images"}},
    "china": {"ms_hub_url": "org/data"},
    "made": {"script_url": "make.py"},
    "cloud": {"cloud_file_name": "s3://bucket/rows.json"},
    "texts": {"file_name": "texts.txt", "columns": {"prompt": "text"}},
}


def write(folder: Path, values: dict[str, Any], info: dict[str, Any] | None = INFO) -> Path:
    if info is not None:
        (folder / "dataset_info.json").write_text(json.dumps(info))
    file = folder / "theirs.yaml"
    file.write_text(yaml.safe_dump(values, sort_keys=False))
    return file


def imported(folder: Path, values: dict[str, Any], info: dict[str, Any] | None = INFO) -> RecipeDraft:
    draft, text, problems = import_file(write(folder, values, info), folder / "recipe.yaml")
    assert problems == []
    (folder / "recipe.yaml").write_text(text)
    return draft


def refused(folder: Path, values: dict[str, Any], info: dict[str, Any] | None = INFO) -> set[str]:
    """The keys without a way in."""
    draft, _, problems = import_file(write(folder, values, info), folder / "recipe.yaml")
    assert {problem.code for problem in problems} == {"no-import"}
    return {entry.key for entry in draft.of("refused")}


def test_the_recipe_renders_to_a_configuration_with_the_defaults_of_llama_factory(tmp_path: Path) -> None:
    imported(tmp_path, {**BASE, "lora_rank": 4, "learning_rate": 1e-4})
    config = plugins().trainer_config(load([f"recipe={tmp_path / 'recipe.yaml'}"], plugins()).recipe)
    assert config.values == {
        "adapter": "lora",
        "lora_r": 4,
        "lora_alpha": 8,
        "lora_dropout": 0.0,
        "lora_target_linear": True,
        "gradient_checkpointing": True,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        "sequence_len": 2048,
        "excess_length_strategy": "truncate",
        "micro_batch_size": 8,
        "gradient_accumulation_steps": 1,
        "num_epochs": 3.0,
        "learning_rate": 1e-4,
        "lr_scheduler": "linear",
        "warmup_steps": 0,
        "optimizer": "adamw_torch_fused",
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "save_steps": 500,
        "bf16": True,
        "chat_template": "chatml",
        "special_tokens": {"eos_token": "<|im_end|>"},
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"warmup_steps": 5, "warmup_ratio": 0.1}, {"warmup_steps": 5}),  # as in transformers, steps win
        ({"warmup_steps": 0, "warmup_ratio": 0.1}, {"warmup_ratio": 0.1}),
        ({"warmup_steps": 0.1}, {"warmup_ratio": 0.1}),
        ({}, {"warmup_steps": 0}),
    ],
)
def test_one_of_the_two_warmups_acts(given: dict[str, Any], expected: dict[str, Any], tmp_path: Path) -> None:
    train = imported(tmp_path, {**BASE, **given}).values["train"]
    assert {key: train[key] for key in train if key.startswith("warmup")} == expected


def test_a_masked_history_trains_the_last_answer(tmp_path: Path) -> None:
    draft = imported(tmp_path, {**BASE, "mask_history": True})
    assert draft.values["dataset"]["formatter"]["trained"] == "last"


def test_rows_with_tools_keep_the_template_of_the_model(tmp_path: Path) -> None:
    info = {"talks": {**INFO["talks"], "columns": {"messages": "conversations", "tools": "tools"}}}
    draft = imported(tmp_path, BASE, info)
    assert "chat_template" not in draft.values["train"]
    assert "template" in {entry.key for entry in draft.of("check")}


@pytest.mark.parametrize(("template", "is_noted"), [("chatml", True), ("llama3", False)])
def test_a_trained_line_break_is_in_the_header(template: str, is_noted: bool, tmp_path: Path) -> None:
    draft = imported(tmp_path, {**BASE, "template": template})
    assert (LINE_BREAK in draft.notes) is is_noted


def test_plain_texts_are_packed_and_need_a_look(tmp_path: Path) -> None:
    draft = imported(tmp_path, {**BASE, "stage": "pt", "dataset": "texts"})
    assert draft.values["dataset"]["source"]["name"] == "text"
    assert draft.values["dataset"]["formatter"] == {"name": "completion", "field": "text"}
    assert "packing" in {entry.key for entry in draft.of("check")}
    assert "chat_template" not in draft.values["train"]


def test_double_quantization_is_kept(tmp_path: Path) -> None:
    draft = imported(tmp_path, {**BASE, "quantization_bit": 4, "double_quantization": False})
    assert draft.values["train"]["bnb_config_kwargs"] == {"bnb_4bit_use_double_quant": False}


def test_the_first_layers_are_trained_by_a_pattern_and_the_last_ones_refused(tmp_path: Path) -> None:
    frozen = {**BASE, "finetuning_type": "freeze"}
    draft = imported(tmp_path, {**frozen, "freeze_trainable_layers": -2})
    assert draft.values["train"]["unfrozen_parameters"] == [r"^model\.layers\.(0|1)\."]
    assert "finetuning_type" in refused(tmp_path, {**frozen, "freeze_trainable_layers": 2})


@pytest.mark.parametrize("name", ["pairs", "labels", "images", "china", "made", "cloud", "nowhere"])
def test_a_dataset_that_ftrun_cannot_train_on_is_refused(name: str, tmp_path: Path) -> None:
    assert refused(tmp_path, {**BASE, "dataset": f"talks,{name}"}) == {"dataset"}


def test_mixed_datasets_have_weights(tmp_path: Path) -> None:
    mixed = {"dataset": "talks,held", "mix_strategy": "interleave_under", "interleave_probs": "0.7,0.3"}
    dataset = imported(tmp_path, {**BASE, **mixed}).values["dataset"]
    assert [part["weight"] for part in dataset["parts"].values()] == [0.7, 0.3]
    assert dataset["stopping_strategy"] == "first_exhausted"


def test_held_out_rows_come_from_another_dataset(tmp_path: Path) -> None:
    values = {**BASE, "eval_dataset": "held", "eval_strategy": "steps", "eval_steps": 10}
    draft = imported(tmp_path, values)
    assert draft.values["dataset"]["held_out"] == {"name": "json", "path": "held.json"}
    assert draft.values["train"]["eval_steps"] == 10


def test_keys_of_evaluations_are_left_out_without_held_out_rows(tmp_path: Path) -> None:
    draft = imported(tmp_path, {**BASE, "eval_strategy": "steps", "eval_steps": 10})
    assert {entry.key for entry in draft.of("left-out")} == {"eval_strategy", "eval_steps"}
    assert not {"eval_strategy", "eval_steps"} & draft.values["train"].keys()


def test_parts_have_names_that_a_recipe_can_have(tmp_path: Path) -> None:
    info = {"a_0.5m": INFO["talks"], "b-c": INFO["held"]}
    draft = imported(tmp_path, {**BASE, "dataset": "a_0.5m,b-c"}, info)
    assert list(draft.values["dataset"]["parts"]) == ["a_0_5m", "b_c"]


def test_a_resized_vocabulary_needs_a_look(tmp_path: Path) -> None:
    draft = imported(tmp_path, {**BASE, "add_special_tokens": "<a>", "resize_vocab": True})
    assert {"add_special_tokens", "resize_vocab"} <= {entry.key for entry in draft.of("check")}


def test_names_are_datasets_of_the_hub_without_descriptions(tmp_path: Path) -> None:
    draft = imported(tmp_path, {**BASE, "dataset_dir": "ONLINE", "dataset": "org/data"}, None)
    assert draft.values["dataset"]["source"] == {"name": "hub", "repo": "org/data", "split": "train"}


def test_missing_descriptions_are_asked_for(tmp_path: Path) -> None:
    assert refused(tmp_path, BASE, None) == {"dataset"}
    assert refused(tmp_path, {**BASE, "dataset_dir": "REMOTE:org/demo"}) == {"dataset"}


def test_the_option_names_the_descriptions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file, folder = write(tmp_path, BASE, None), tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "info.json").write_text(json.dumps(INFO))
    assert run_command(["import", str(file), "--dataset-info", str(folder / "info.json")]) == 0
    recipe = yaml.safe_load((tmp_path / "theirs_recipe.yaml").read_text())
    assert recipe["dataset"]["source"]["path"] == "elsewhere/talks.json"


def test_descriptions_are_found_above_the_configuration(tmp_path: Path) -> None:
    data, configurations = tmp_path / "data", tmp_path / "examples" / "train_lora"
    for folder in (data, configurations):
        folder.mkdir(parents=True)
    (data / "dataset_info.json").write_text(json.dumps(INFO))
    draft, _, problems = import_file(write(configurations, BASE, None), tmp_path / "recipe.yaml")
    assert problems == []
    assert draft.values["dataset"]["source"]["path"] == "data/talks.json"


def test_a_file_of_lines_is_read_as_lines(tmp_path: Path) -> None:
    (tmp_path / "talks.json").write_text('{"conversations": []}\n{"conversations": []}\n')
    assert imported(tmp_path, BASE).values["dataset"]["source"]["name"] == "jsonl"


@pytest.mark.parametrize(
    "name", ["some/Llama-3-8B-AWQ", "some/model-GPTQ", "ISTA/Llama-3-8B-AQLM-2Bit", "x/m-bnb-4bit"]
)
def test_quantized_weights_are_refused(name: str, tmp_path: Path) -> None:
    assert refused(tmp_path, {**BASE, "model_name_or_path": name}) == {"model_name_or_path"}


def test_an_unknown_key_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    draft, _, problems = import_file(write(tmp_path, {**BASE, "lora_rnak": 8}), tmp_path / "recipe.yaml")
    (problem,) = problems
    assert problem.at == f"{tmp_path / 'theirs.yaml'}:7"
    assert "lora_rank" in problem.did_you_mean
    assert [entry.key for entry in draft.of("refused")] == ["lora_rnak"]


def test_null_and_false_select_nothing(tmp_path: Path) -> None:
    draft = imported(tmp_path, {**BASE, "use_galore": False, "resume_from_checkpoint": None, "use_dora": False})
    outcomes = {entry.key: entry.outcome for entry in draft.entries}
    assert outcomes["use_galore"] == outcomes["resume_from_checkpoint"] == outcomes["use_dora"] == "exact"


def test_every_key_has_one_line_in_the_coverage(tmp_path: Path) -> None:
    values = {**BASE, "packing": True, "galore_rank": 8, "report_to": "none", "cutoff_len": 512, "val_size": 0.1}
    keys = [entry.key for entry in imported(tmp_path, values).entries]
    assert sorted(keys) == sorted(values)


def test_a_deepspeed_file_without_a_preset_is_written_out(tmp_path: Path) -> None:
    content = {"zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}, "bf16": {"enabled": "auto"}}
    (tmp_path / "ds_z2_offload_config.json").write_text(json.dumps(content))
    draft = imported(tmp_path, {**BASE, "deepspeed": "ds_z2_offload_config.json"})
    assert draft.values["train"]["deepspeed"] == content
