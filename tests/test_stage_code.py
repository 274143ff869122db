"""A change of the code of a stage needs a new version if the output can differ, because keys have only the version."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
RECORDED = json.loads((ROOT / "tests" / "stage_code.json").read_text())
NEXT = "if its output can differ, raise its version; then run tools/record_stage_code.py"


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """Version and digest of the code of each stage."""
    stages: dict[str, Any] = runpy.run_path(str(ROOT / "tools" / "record_stage_code.py"))["find_stage_code"]()
    return stages


def test_every_stage_is_recorded(found: dict[str, Any]) -> None:
    assert set(found) == set(RECORDED)


@pytest.mark.parametrize("stage", RECORDED)
def test_code_and_version_of_a_stage_are_the_recorded_ones(stage: str, found: dict[str, Any]) -> None:
    assert found[stage] == RECORDED[stage], f"the code of `{stage}` has changed: {NEXT}"
