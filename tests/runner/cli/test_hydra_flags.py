from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ftrun.cli.hydra_flags import expand_sweep


@pytest.mark.parametrize("value", [None, "0"])
def test_a_sweep_leaves_the_command_line_and_the_environment_as_they_are(
    value: str | None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    if value is not None:
        monkeypatch.setenv("HYDRA_FULL_ERROR", value)
    before = list(sys.argv)
    points = expand_sweep(["recipe=quickstart", "train.learning_rate=1e-3,2e-3"])
    assert [point[-1] for point in points] == ["train.learning_rate=0.001", "train.learning_rate=0.002"]
    assert os.environ.get("HYDRA_FULL_ERROR") == value
    assert sys.argv == before
