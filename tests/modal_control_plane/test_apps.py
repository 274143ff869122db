"""Apps as the command line and deployments make them, and what images bring."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import modal
import pytest

from modal_control_plane.fixture import ControlPlane

from .conftest import deploy

APP = """\
import os
from pathlib import Path
import modal

here = Path(__file__).parent
image = (
    modal.Image.debian_slim()
    .pip_install("no-such-package-at-all")
    .add_local_file(here / "copied.txt", "/opt/data/copied.txt", copy=True)
    .workdir("/opt/data")
    .env({"DATA": "/opt/data", "WORDS": "it's two words"})
    .add_local_dir(here / "package", "/root/package")
)
app = modal.App(THE_APP, image=image)

@app.function()
def look():
    import package
    here, there = Path("copied.txt"), Path(os.environ["DATA"]) / "copied.txt"
    return [THE_VERSION, here.read_text(), there.read_text(), package.NAME, os.environ["WORDS"]]

@app.local_entrypoint()
def main():
    print("seen:", look.remote())
"""


def write_app(folder: Path, name: str, version: int = 1) -> Path:
    (folder / "package").mkdir(exist_ok=True)
    (folder / "package" / "__init__.py").write_text("NAME = 'package'")
    (folder / "copied.txt").write_text("copied")
    path = folder / "example.py"
    path.write_text(APP.replace("THE_APP", repr(name)).replace("THE_VERSION", str(version)))
    return path


def modal_command(plane: ControlPlane, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "modal", *arguments],
        env=os.environ | plane.client_environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_running_an_app_from_the_command_line(plane: ControlPlane, tmp_path: Path, name: str) -> None:
    seen = modal_command(plane, "run", str(write_app(tmp_path, name)))
    assert "seen: [1, 'copied', 'copied', 'package', \"it's two words\"]" in seen


@pytest.mark.slow
def test_deploying_anew_and_stopping(plane: ControlPlane, tmp_path: Path, name: str) -> None:
    for version in (1, 2):
        deploy(plane, write_app(tmp_path, name, version))
        look = modal.Function.from_name(name, "look")
        assert look.remote()[0] == version
        assert look.with_options(timeout=99).remote()[0] == version
    assert name in modal_command(plane, "app", "list", "--json")
    modal_command(plane, "app", "stop", "--yes", name)
    plane.wait_for(lambda: not plane.containers("look"))
    with pytest.raises(modal.exception.NotFoundError):
        modal.Function.from_name(name, "look").hydrate()


@pytest.mark.slow
def test_volumes_on_the_command_line(plane: ControlPlane, tmp_path: Path, name: str) -> None:
    modal.Volume.from_name(name, create_if_missing=True, version=2).hydrate()
    (tmp_path / "file.txt").write_text("content")
    modal_command(plane, "volume", "put", name, str(tmp_path / "file.txt"), "/folder/file.txt")
    assert "folder/file.txt" in modal_command(plane, "volume", "ls", name, "/folder")
    modal_command(plane, "volume", "get", name, "/folder/file.txt", str(tmp_path / "got.txt"))
    assert (tmp_path / "got.txt").read_text() == "content"
