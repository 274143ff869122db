"""The wheel, installed in an empty environment outside the checkout, has all that ftrun ships."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parents[1]
SHIPPED = ("conf/**/*.yaml", "recipes/**/*.yaml", "locks/*.txt", "data/**/*")
MODULES = ("runner/ftrun", "plugins/ftrun_plugins")


def uv(*arguments: str | Path) -> None:
    command = [find_uv_bin(), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=300)
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--wheel", "--out-dir", folder, ROOT)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the programs of an environment that has the wheel and what it depends on, and nothing else."""
    environment = tmp_path_factory.mktemp("environment")
    uv("venv", "--quiet", "--allow-existing", "--python", sys.executable, environment)
    uv("pip", "install", "--quiet", "--python", environment / "bin" / "python", wheel)
    return environment / "bin"


def ftrun(programs: Path, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    return subprocess.run(
        [programs / "ftrun", *arguments], capture_output=True, text=True, cwd="/", timeout=60, env=environment
    )


def test_the_wheel_holds_everything_that_is_shipped(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if not name.endswith("/")}
        shipped = [file for pattern in SHIPPED for file in ROOT.glob(pattern) if file.is_file()]
        assert len(shipped) > 30
        for file in shipped:
            name = f"ftrun/{file.relative_to(ROOT).as_posix()}"
            assert name in inside
            assert archive.read(name) == file.read_bytes()
    for folder in MODULES:
        files = [file for file in (ROOT / folder).rglob("*") if file.is_file() and "__pycache__" not in file.parts]
        names = {file.relative_to((ROOT / folder).parent).as_posix() for file in files}
        assert names <= inside


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ftrun", "ftrun_plugins"}


def test_the_installed_program_finds_its_recipes_and_they_are_valid(installed: Path, tmp_path: Path) -> None:
    listed = ftrun(installed, "recipes", "--json", home=tmp_path)
    assert listed.returncode == 0, listed.stderr
    names = {recipe["name"] for recipe in json.loads(listed.stdout)}
    assert names == {file.relative_to(ROOT / "recipes").with_suffix("").as_posix() for file in _recipes()}
    checked = ftrun(installed, "validate", "--all", "--json", home=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert set(json.loads(checked.stdout)["valid"]) == names


def test_the_installed_program_plans_the_quickstart_with_its_own_data(installed: Path, tmp_path: Path) -> None:
    planned = ftrun(installed, "plan", "--json", "recipe=quickstart", home=tmp_path)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert [call["call"] for call in json.loads(planned.stdout)["calls"]][:2] == ["fetch:model", "format"]


def _recipes() -> list[Path]:
    return [file for file in (ROOT / "recipes").rglob("*.yaml") if not file.name.startswith("_")]


def test_a_plugin_author_sees_the_types_of_the_installed_wheel(installed: Path, tmp_path: Path) -> None:
    plugin = ROOT / "examples" / "ftrun-acme" / "src" / "ftrun_acme"
    assert _mypy(installed, plugin, cache=tmp_path) == []
    wrong = tmp_path / "wrong.py"
    wrong.write_text('from ftrun.api.rows import Rejected\n\nRejected(reason=["no text"])\n', encoding="utf-8")
    (error,) = _mypy(installed, wrong, cache=tmp_path)
    assert "arg-type" in error  # and not Any, as an untyped package's classes would be


def _mypy(installed: Path, checked: Path, cache: Path) -> list[str]:
    """Return the errors of a strict check of `checked` against the packages of the environment `installed`."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file", os.devnull]
    command += ["--python-executable", str(installed / "python"), "--cache-dir", str(cache), str(checked)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=cache, timeout=300)
    assert result.returncode in (0, 1), result.stderr
    return result.stdout.splitlines()
