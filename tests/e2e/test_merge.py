"""`merge` of matrices that were trained whole, whatever the base model's files call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.workplace import PROJECT, SCRIPTS, in_trainer

pytestmark = pytest.mark.e2e

SCRIPT = SCRIPTS / "merge_renamed.py"


def test_a_head_that_transformers_calls_otherwise_than_the_files_is_merged(tiny: Path, tmp_path: Path) -> None:
    """GPT-NeoX's head is `embed_out` in files and `lm_head` in transformers 5."""
    folders = [str(PROJECT / "runner"), str(PROJECT / "plugins")]
    found = json.loads(in_trainer(SCRIPT, [*folders, str(tiny), str(tmp_path)], 400).splitlines()[-1])
    assert found["kinds"] == ["BF16"]  # as the base model
    assert found["base"] > 0.1
    assert found["merged"] < 0.01 * found["base"]
