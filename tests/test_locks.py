"""The locks: that they belong to what is declared, and that what they pin can still be had for their platform."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / "locks"
NAMES = ("client", "trainer", "server", "server_cpu")
OUTSIDE = {"modal", "uv"}  # what Modal brings into its containers, and what installs them
PLATFORM = ("--python-version", "3.12", "--python-platform", "x86_64-manylinux_2_28")


def name_of(requirement: str) -> str:
    return re.split(r"[<>=\[; ]", requirement, maxsplit=1)[0].lower()


def test_the_client_in_containers_has_the_clients_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {line for line in project["dependencies"] if name_of(line) not in OUTSIDE}
    assert set((LOCKS / "client.in").read_text().split()) == declared


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_pins_everything(name: str) -> None:
    lines = [line for line in (LOCKS / f"{name}.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9._-]+==\S+( ?;.*)?", line) for line in lines)


@pytest.mark.parametrize("name", ["client", "trainer"])
def test_the_environments_of_format_have_the_parser_of_python_docs(name: str) -> None:
    assert re.search("^griffelib==", (LOCKS / f"{name}.txt").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_every_environment_has_the_http_client(name: str) -> None:
    assert re.search("^httpx2==", (LOCKS / f"{name}.txt").read_text(), re.MULTILINE)


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_lock_still_resolves_for_containers(name: str) -> None:
    command = [find_uv_bin(), "pip", "compile", "--quiet", "--no-header", "--no-annotate", *PLATFORM]
    command += [str(LOCKS / f"{name}.in"), "--constraint", str(LOCKS / f"{name}.txt")]
    overrides = LOCKS / f"{name}.overrides"
    command += ["--override", str(overrides)] if overrides.exists() else []
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    assert set(result.stdout.split()) <= set((LOCKS / f"{name}.txt").read_text().split())
