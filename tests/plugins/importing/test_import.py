"""`ftrun import` writes a recipe that ftrun accepts, or says why it does not, and never damages a file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ftrun.cli.main import run_command
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load

CONFIG = """\
base_model: NousResearch/Meta-Llama-3-8B
datasets:
  - path: rows.jsonl
    type: alpaca
val_set_size: 0.05
output_dir: ./out
adapter: lora
lora_r: 8
lora_alpha: 16
lora_target_modules: [q_proj, v_proj]
sequence_len: 1024
micro_batch_size: 2
gradient_accumulation_steps: 1
num_epochs: 1
learning_rate: 2e-4
optimizer: adamw_torch
"""


def write(folder: Path, text: str = CONFIG, name: str = "theirs.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    (folder / "rows.jsonl").write_text('{"instruction": "a", "input": "", "output": "b"}\n')
    return file


def problems(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """The problems of an import that fails with exit code 2."""
    assert run_command(["import", *arguments, "--json"]) == 2
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["problems"]
    return found


def codes(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    return [problem["code"] for problem in problems(capsys, *arguments)]


def test_it_writes_a_recipe_that_is_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["import", str(write(folder))]) == 0
    assert "theirs_recipe.yaml" in capsys.readouterr().out
    recipe = load(["recipe=theirs_recipe.yaml"], plugins()).recipe
    assert recipe.model.base_model == "NousResearch/Meta-Llama-3-8B"
    assert recipe.train["learning_rate"] == 2e-4
    assert recipe.dataset.split.held_out == 0.05
    assert recipe.dataset.source is not None
    assert recipe.dataset.source.options["path"] == str(folder / "rows.jsonl")


def test_paths_lead_to_the_same_files_from_another_folder(folder: Path) -> None:
    (folder / "recipes").mkdir()
    file = write(folder)
    assert run_command(["import", str(file), "--output", "recipes/new.yaml"]) == 0
    recipe = load(["recipe=recipes/new.yaml"], plugins()).recipe
    assert recipe.dataset.source is not None
    assert recipe.dataset.source.options["path"] == str((folder / "rows.jsonl").resolve())


def test_it_says_what_was_left_out(folder: Path) -> None:
    run_command(["import", str(write(folder))])
    text = (folder / "theirs_recipe.yaml").read_text()
    assert "output_dir (line 6)" in text


def test_check_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["import", "--check", str(write(folder))]) == 0
    out = capsys.readouterr().out
    assert "val_set_size" in out
    assert "dataset.split.held_out" in out
    assert not (folder / "theirs_recipe.yaml").exists()


def test_check_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["import", "--check", "--json", str(write(folder))]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["tool"] == "axolotl"
    assert sum(result["counts"].values()) == len(result["keys"]) > 10
    by_key = {entry["key"]: entry for entry in result["keys"]}
    assert by_key["output_dir"]["outcome"] == "left-out"
    assert by_key["output_dir"]["line"] == 6


def test_json_names_the_recipe(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["import", "--json", str(write(folder))]) == 0
    assert json.loads(capsys.readouterr().out)["recipe"] == "theirs_recipe.yaml"


def test_it_overwrites_only_if_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = folder / "theirs_recipe.yaml"
    target.write_text("mine\n")
    file = str(write(folder))
    assert codes(capsys, file) == ["file-exists"]
    assert target.read_text() == "mine\n"
    assert run_command(["import", file, "--force"]) == 0
    assert "NousResearch" in target.read_text() or "llama3_8b" in target.read_text()


def test_the_recipe_file_needs_the_name_of_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert codes(capsys, str(write(folder)), "--output", "recipe.txt") == ["invalid-value"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_writable(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o500)
    assert codes(capsys, str(write(folder)), "--output", "closed/new.yaml") == ["unwritable"]


def test_a_folder_that_is_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert codes(capsys, str(write(folder)), "--output", "rows.jsonl/new.yaml") == ["unwritable"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"base_model: [", "invalid-yaml"),
        (b"base_model: a\n\tdatasets: b\n", "invalid-yaml"),
        (b"- base_model\n", "unknown-configuration"),
        (b"just text\n", "unknown-configuration"),
        (b"", "unknown-configuration"),
        (b"base_model: caf\xe9\n", "invalid-encoding"),
        (b"base_model: a\nseed: 1\nbase_model: b\n", "duplicate-key"),
        (b"base_model: a\nlora:\n  r: 1\n  r: 2\n", "duplicate-key"),
        (b"colour: red\n", "unknown-configuration"),
        (b"defaults: [quickstart]\n", "unknown-configuration"),
        (b"base_model: &a [*a]\n", "invalid-yaml"),
        (b"base_model: a\nday: 2024-13-45\ndatasets: []\n", "invalid-yaml"),
        (b"base_model: !!python/object:os.system {}\n", "invalid-yaml"),
    ],
)
def test_files_that_cannot_be_read(folder: Path, capsys: pytest.CaptureFixture[str], content: bytes, code: str) -> None:
    (folder / "bad.yaml").write_bytes(content)
    assert codes(capsys, "bad.yaml") == [code]
    assert not (folder / "bad_recipe.yaml").exists()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("model: a/b\ntrain_dataset: rows.yaml\npeft_config: {name: lora}\n", "v1"),
        ("model: {base_model: a/b}\n", "already a recipe"),
        ("model: a/b\n", "no training configuration"),
    ],
)
def test_what_a_file_is_instead(folder: Path, capsys: pytest.CaptureFixture[str], content: str, word: str) -> None:
    (folder / "other.yaml").write_text(content)
    (problem,) = problems(capsys, "other.yaml")
    assert problem["code"] == "unknown-configuration"
    assert word in problem["what"]


def test_broken_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "job.json").write_text('{"model": "a",\n "training_file": }')
    (problem,) = problems(capsys, "job.json")
    assert problem["code"] == "invalid-json"
    assert problem["at"] == "job.json:2:19"


def test_a_missing_file_and_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert codes(capsys, "nothing.yaml") == ["file-not-found"]
    assert codes(capsys, ".") == ["file-unreadable"]


def test_what_has_no_way_in_is_listed_as_a_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(folder, CONFIG + "rl: dpo\nstreaming: true\nprocessor_type: AutoProcessor\n")
    found = problems(capsys, str(file))
    assert [problem["code"] for problem in found] == ["no-import"] * 3
    assert [problem["at"] for problem in found] == [f"{file}:{line}" for line in (17, 18, 19)]
    assert not (folder / "theirs_recipe.yaml").exists()


def test_what_validate_refuses_is_not_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(folder, CONFIG + "warmup_steps: 5\nwarmup_ratio: 0.1\n")
    (problem,) = problems(capsys, str(file))
    assert problem["code"] == "conflicting-keys"
    assert problem["at"] == f"{file}:17"


def test_values_that_yaml_reads_in_two_ways_stay_the_same(folder: Path) -> None:
    file = write(folder, CONFIG + 'wandb_name: "1e5"\nwandb_run_id: "${seed}"\nwandb_project: "on"\n')
    assert run_command(["import", str(file)]) == 0
    train = load(["recipe=theirs_recipe.yaml"], plugins()).recipe.train
    assert (train["wandb_name"], train["wandb_run_id"], train["wandb_project"]) == ("1e5", "${seed}", "on")
