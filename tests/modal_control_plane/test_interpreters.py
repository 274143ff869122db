from __future__ import annotations

import subprocess
from pathlib import Path

import modal
import pytest

from helpers.workplace import trainer_python
from modal_control_plane.client import client_of
from modal_control_plane.fixture import ControlPlane

from .conftest import SAMPLE, deploy, function


def test_an_image_names_its_interpreter(plane: ControlPlane) -> None:
    assert function("elsewhere").remote()["environment"]["WRAPPED"] == "1"
    assert "WRAPPED" not in function("about").remote()["environment"]


@pytest.mark.e2e
def test_the_trainer_environment_is_given_the_client(tmp_path: Path) -> None:
    interpreter = Path(trainer_python())
    if not interpreter.exists():
        pytest.skip("the trainer environment is not made: ftrun envs make")
    with ControlPlane(tmp_path, {"other": interpreter}, {"sample": {}}) as plane, client_of(plane):
        deploy(plane, SAMPLE)
        seen = function("elsewhere").remote("axolotl", "torch")
    version = subprocess.run(
        [interpreter, "-I", "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True, check=True
    )
    assert str(tuple(seen["python"])) == version.stdout.strip()
    assert not seen["client"].startswith(str(interpreter.parents[1]))
    assert seen["child"].strip() == "None"
    assert modal.__version__ in seen["client"]
