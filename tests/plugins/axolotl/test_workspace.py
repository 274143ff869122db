"""Working folder of the trainer."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from ftrun_plugins.axolotl.workspace import write_workspace


def test_a_deepspeed_configuration_is_a_file_beside_the_configuration(tmp_path: Path) -> None:
    zero = {"zero_optimization": {"stage": 2}}
    path = write_workspace(tmp_path / "work", {"deepspeed": zero, "lora_r": 8}, {})
    config = yaml.safe_load(path.read_text())
    assert config["lora_r"] == 8
    assert json.loads((path.parent / config["deepspeed"]).read_text()) == zero


def test_without_deepspeed_there_is_no_such_file(tmp_path: Path) -> None:
    path = write_workspace(tmp_path / "work", {"lora_r": 8}, {})
    assert [file.name for file in path.parent.iterdir()] == [path.name]
