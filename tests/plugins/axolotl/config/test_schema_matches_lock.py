from __future__ import annotations

import re
from pathlib import Path

import yaml

from ftrun_plugins.axolotl.config.schema import trainer_version

ENVIRONMENT = Path(__file__).parents[4] / "conf" / "environment" / "trainer.yaml"


def test_the_schema_is_that_of_the_locked_trainer() -> None:
    declared = yaml.safe_load(ENVIRONMENT.read_text(encoding="utf-8"))["trainer"]
    lock = (ENVIRONMENT.parent / declared["lock"]).read_text(encoding="utf-8")
    pin = re.search(r"^axolotl(?:\[[^]]*\])?==([^\s;\\]+)", lock, re.MULTILINE)
    assert pin, f"{declared['lock']} pins no axolotl"
    assert trainer_version() == pin[1], "export the schema again: tools/export_trainer_schema.py"
