"""Places that cannot be what they are named as are one problem, in each command that takes a place."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.workplace import FTRUN, run_here

RECIPE = ("recipe=quickstart", "stages=[format]")
NAMES = ("file", "in a file", "device", "in a device", "long name", "long path", "loop", "kernel", "socket", "bytes")
VERBS = (
    ("runs",),
    ("show",),
    ("logs",),
    ("report",),
    ("resume",),
    ("cancel",),
    ("files",),
    ("pull",),
    ("verify",),
    ("rm", "--unused", "--yes"),
    ("compare", "a", "b"),
    ("diff", "a", "b"),
    ("serve",),
    ("rerun", "last"),
)
TAKING_A_PLACE = (
    ("validate", "recipe={}"),
    ("validate", "recipe={}/a.yaml"),
    ("plan", "--no-check", *RECIPE, "dataset.source.path={}"),
    ("plan", "--no-check", "recipe=quickstart", "stages=[fetch]", "model.base_model={}"),
    ("schema", "--output", "{}/a.json"),
    ("import", "{}"),
    ("import", "{}/a.yaml"),
    ("recipes", "copy", "quickstart", "{}/b.yaml"),
    ("plugins", "new", "a_plugin", "{}/b"),
)


@pytest.fixture
def places(tmp_path: Path) -> Iterator[dict[str, str]]:
    file, loop = tmp_path / "file", tmp_path / "loop"
    file.touch()
    loop.symlink_to(loop)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        yield {
            "file": str(file),
            "in a file": str(file / "x"),
            "device": "/dev/null",
            "in a device": "/dev/null/x",
            "long name": str(tmp_path / ("x" * 300)),
            "long path": "/" + "y/" * 3000 + "y",
            "loop": str(loop),
            "kernel": "/proc/none",
            "socket": str(tmp_path / "socket"),
            "bytes": os.fsdecode(b"/tmp/\xff\xfe/x"),
        }


def check_one_problem(ended: tuple[int, str, str], what: str) -> str:
    """Check that a command ended with one problem of a few lines; return its code."""
    code, out, err = ended
    assert code == 2, f"{what}: {code}\n{out}\n{err}"
    codes = re.findall(r"\[([a-z-]+)\]$", err, re.MULTILINE)
    assert err.startswith("ftrun: 1 problem\n"), f"{what}: {err}"
    assert len(codes) == 1, f"{what}: {err}"
    assert "internal error" not in err
    return codes[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_store_that_cannot_be_is_one_problem(name: str, places: dict[str, str], tmp_path: Path) -> None:
    environment = {**os.environ, "FTRUN_STORE": places[name]}
    for arguments in VERBS:
        assert check_one_problem(run_here(arguments, tmp_path, environment), str(arguments)) == "unusable-path"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_cannot_run_in_such_a_store(name: str, places: dict[str, str], tmp_path: Path) -> None:
    environment = {**os.environ, "FTRUN_STORE": places[name]}
    for arguments in (("plan", "--no-check", *RECIPE), ("run", *RECIPE), ("run", "-d", *RECIPE), ("preview", *RECIPE)):
        assert check_one_problem(run_here(arguments, tmp_path, environment), str(arguments)) == "unusable-path"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name != "file"])
@pytest.mark.parametrize("arguments", TAKING_A_PLACE, ids=" ".join)
def test_a_place_that_cannot_be_is_one_problem(
    arguments: tuple[str, ...], name: str, places: dict[str, str], tmp_path: Path
) -> None:
    environment = {**os.environ, "FTRUN_STORE": str(tmp_path / "store")}
    named = [argument.format(places[name]) for argument in arguments]
    check_one_problem(run_here(named, tmp_path, environment), f"{named} {name}")


def test_a_deleted_current_folder_is_one_problem(tmp_path: Path) -> None:
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    environment = {**os.environ, "FTRUN_STORE": "store"}
    for arguments in (("runs",), ("verify",), ("validate", *RECIPE), ("schema", "--output", "a.json")):
        ended = subprocess.run(
            ["sh", "-c", script, "sh", str(FTRUN), *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        check_one_problem((ended.returncode, ended.stdout, ended.stderr), str(arguments))
