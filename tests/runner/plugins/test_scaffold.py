"""What `ftrun plugins new` writes, and what it refuses. That it works is tried end to end, in a fresh environment."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.cli.main import run_command
from ftrun.plugins.scaffold import write_skeleton


@pytest.mark.parametrize("name", ["acme", "ftrun-acme", "two-words", "two_words", "none", "row", "class", "v2"])
def test_its_modules_can_be_read_by_python(name: str, folder: Path) -> None:
    made = write_skeleton(name)
    modules = sorted(made.rglob("*.py"))
    assert len(modules) == 4
    for module in modules:
        compile(module.read_text(), module, "exec")
    project = tomllib.loads((made / "pyproject.toml").read_text())
    (entry,) = project["project"]["entry-points"]["ftrun"].values()
    assert (made / "src" / entry.replace(".", "/")).with_suffix(".py").is_file()
    assert made.name == project["project"]["name"]
    assert not any("$" in path.read_text() for path in made.rglob("*") if path.is_file())


def test_it_is_written_into_the_folder_that_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["plugins", "new", "acme", "a/b"]) == 0
    assert (folder / "a" / "b" / "src" / "ftrun_acme" / "plugin.py").is_file()
    assert "a/b/" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["", "Acme", "../x", "a b", "a.b", "1a", "a" * 41, "-", "ftrun-", "é", "a--b"])
def test_a_name_that_is_none_is_refused(name: str, folder: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be the name of a plugin"):
        write_skeleton(name)
    assert list(folder.iterdir()) == []


def test_a_taken_name_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="`chat`") as refused:
        write_skeleton("chat")
    assert refused.value.problems[0].code == "name-conflict"


def test_nothing_is_written_over(folder: Path) -> None:
    write_skeleton("acme")
    (folder / "file").touch()
    for target in (None, folder / "file"):
        with pytest.raises(InvalidInput) as refused:
            write_skeleton("acme", target)
        assert refused.value.problems[0].code == "file-exists"
