"""The locks: that they belong to what is declared, and that what they pin can still be had for their platform."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from uv import find_uv_bin

from ftrun.api.locks import BUILT, install_options, pins, wrong_lines

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / "locks"
NAMES = ("client", "trainer", "server", "server_cpu")
OUTSIDE = {"modal", "uv"}  # what Modal brings into its containers, and what installs them
CONTAINER = ("--python-version", "3.12", "--python-platform", "x86_64-manylinux_2_35")  # the oldest base image's
TOOL = ROOT / "tools" / "lock_environments.py"


def name_of(requirement: str) -> str:
    return re.split(r"[<>=\[; ]", requirement, maxsplit=1)[0].lower()


def test_the_client_in_containers_has_the_clients_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {line for line in project["dependencies"] if name_of(line) not in OUTSIDE}
    assert set((LOCKS / "client.in").read_text().split()) == declared


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_pins_everything(name: str) -> None:
    lines = (LOCKS / f"{name}.txt").read_text().replace("\\\n", "").splitlines()
    assert all(re.fullmatch(r"[a-z0-9._-]+==\S+( ?;.*?)?( +--hash=sha256:[0-9a-f]{64})+", line) for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_names_only_packages_of_the_index(name: str) -> None:
    text = (LOCKS / f"{name}.txt").read_text()
    assert list(wrong_lines(text)) == []
    assert len(pins(text)) > 10


def test_only_packages_of_the_locks_are_built(tmp_path: Path) -> None:
    pinned = {pin.partition("==")[0] for name in NAMES for pin in pins((LOCKS / f"{name}.txt").read_text())}
    assert set(BUILT) <= pinned
    deepspeed = next(pin for pin in pins((LOCKS / "trainer.txt").read_text()) if pin.startswith("deepspeed=="))
    mine = tmp_path / "mine.txt"
    mine.write_text(f"{deepspeed}\nlangdetect==0.0.1\n")
    assert install_options(mine) == ["--only-binary", ":all:", "--no-binary", "deepspeed"]


@pytest.mark.parametrize("name", ["client", "trainer"])
def test_the_environments_of_format_have_the_parser_of_python_docs(name: str) -> None:
    assert re.search("^griffelib==", (LOCKS / f"{name}.txt").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_every_environment_has_the_http_client(name: str) -> None:
    assert re.search("^httpx2==", (LOCKS / f"{name}.txt").read_text(), re.MULTILINE)


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_lock_still_resolves_for_containers(name: str, tmp_path: Path) -> None:
    """With the same versions, and hashes of all files that PyPI has. It may have more since."""
    lock = LOCKS / f"{name}.txt"
    made = Path(shutil.copy(lock, tmp_path / "lock.txt"))
    command = runpy.run_path(str(TOOL))["compile_command"](name, made)
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    assert pins(made.read_text()) == pins(lock.read_text())
    assert set(lock.read_text().split()) <= set(made.read_text().split())


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_other_packages_have_wheels(name: str, tmp_path: Path) -> None:
    lock = LOCKS / f"{name}.txt"
    command = [
        find_uv_bin(),
        "pip",
        "install",
        "--dry-run",
        "--quiet",
        "--no-deps",
        *CONTAINER,
        "--target",
        str(tmp_path),
    ]
    command += [*install_options(lock), "--requirement", str(lock)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
