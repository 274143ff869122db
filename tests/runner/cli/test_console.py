"""Terminals, locales, arguments and folders of any kind: no verb ends in an internal error."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.paths import Store, default_store
from ftrun.cli.main import run_command
from ftrun.plugins.manager import plugins
from ftrun.recipe.compose import compose
from ftrun.recipe.overrides import path_of, prepare
from ftrun.store import runs

MAIN = "from ftrun.cli.main import main; main()"
RECIPE = """
defaults:
  - override /model: smollm2_135m_instruct
  - override /dataset: quickstart_sql
train: {sequence_len: 64, micro_batch_size: 1, num_epochs: 1, learning_rate: 1e-4}
"""
NAME = "köln 駅"

CONSOLES: Mapping[str, dict[str, str | None]] = {
    "an ASCII terminal": {"PYTHONIOENCODING": "ascii"},
    "a terminal in UTF-16": {"PYTHONIOENCODING": "utf-16"},
    "the locale C without UTF-8": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "an unknown locale": {"LC_ALL": "xx_YY.foo", "LANG": "xx"},
    "a dumb narrow terminal": {"TERM": "dumb", "COLUMNS": "1"},
    "a width that is no number": {"COLUMNS": "wide"},
    "no home folder": {"HOME": None},
    "a home folder that does not exist": {"HOME": "/nonexistent"},
    "an unknown time zone": {"TZ": "Nowhere/Odd"},
}


def ftrun(*arguments: str | bytes, **changes: Any) -> subprocess.CompletedProcess[bytes]:
    variables = {name: value for name, value in {**os.environ, **changes}.items() if value is not None}
    command = [sys.executable, "-c", MAIN, *arguments]
    return subprocess.run(command, capture_output=True, timeout=120, env=variables, stdin=subprocess.DEVNULL)


def assert_no_fault(result: subprocess.CompletedProcess[bytes], code: int) -> None:
    text = (result.stdout + result.stderr).replace(b"\0", b"")
    assert result.returncode == code, text
    assert b"internal error" not in text
    assert b"Traceback" not in text


@pytest.fixture
def recipe(folder: Path, store: Store) -> str:
    (folder / f"{NAME}.yaml").write_text(RECIPE, encoding="utf-8")
    return f"recipe={NAME}.yaml"


@pytest.mark.parametrize("console", CONSOLES)
def test_any_terminal_and_locale(console: str, recipe: str, store: Store) -> None:
    runs.create(store, NAME, (), {}, {}, "local")
    assert_no_fault(ftrun("validate", recipe, **CONSOLES[console]), 0)
    assert_no_fault(ftrun("runs", **CONSOLES[console]), 0)


@pytest.mark.parametrize("arguments", [["schema"], ["recipes", "show", "quickstart"], ["--info", "config"], ["plan"]])
def test_verbs_on_an_ascii_terminal(arguments: list[str], recipe: str) -> None:
    more = [recipe] if arguments[0] in ("--info", "plan") else []
    assert_no_fault(ftrun(*arguments, *more, PYTHONIOENCODING="ascii"), 0)


def test_letters_that_the_terminal_lacks_are_escaped(recipe: str) -> None:
    result = ftrun("validate", recipe, PYTHONIOENCODING="ascii")
    assert result.stdout.startswith(rb"k\xf6ln \u99c5")


@pytest.mark.parametrize(
    "argument", [b"train.x=\xff", b"recipe=\xff.yaml", b"dataset.source.path=\xe9.jsonl", b"\xfc=1"]
)
def test_an_argument_that_is_not_utf_8(argument: bytes, folder: Path, store: Store) -> None:
    result = ftrun("validate", "recipe=quickstart", argument)
    assert_no_fault(result, 2)
    assert b"[invalid-encoding]" in result.stderr


def test_a_folder_whose_name_is_not_utf_8(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = os.fsencode(folder) + b"/d\xff"
    os.mkdir(odd)  # noqa: PTH102  (a name in bytes)
    monkeypatch.chdir(os.fsdecode(odd))
    text = RECIPE.replace("quickstart_sql", "jsonl_auto") + "dataset: {source: {path: rows.jsonl}}\n"
    Path("mine.yaml").write_text(text, encoding="utf-8")
    result = ftrun("validate", "recipe=mine.yaml")
    assert_no_fault(result, 2)
    assert b"[invalid-encoding]" in result.stderr
    assert b"mine.yaml:" in result.stderr


@pytest.mark.parametrize("arguments", [["validate", "recipe=quickstart"], ["plan", "recipe=x.yaml"], ["doctor"]])
def test_a_current_folder_that_was_deleted(
    arguments: list[str], folder: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.rmdir()
    assert run_command(arguments) == 2
    assert "[file-not-found]" in capsys.readouterr().err


def test_an_output_that_is_closed(folder: Path, store: Store) -> None:
    command = ["/bin/sh", "-c", f'exec "{sys.executable}" -c "{MAIN}" validate recipe=quickstart >&-']
    result = subprocess.run(command, stderr=subprocess.PIPE, timeout=120)
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.parametrize("name", ["mine", "a b", "a=b,c[d]{e}(f)", "köln 駅", "it's", '"x"', "$HOME", "a,b"])
@pytest.mark.parametrize("quote", ["", "'", '"'])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_path_of_a_recipe_with_and_without_quotes(name: str, quote: str, absolute: bool, folder: Path) -> None:
    file = folder / f"{name}.yaml"
    file.write_text(RECIPE, encoding="utf-8")
    path = str(file) if absolute else file.name
    value = f"{quote}{path.replace(quote, chr(92) + quote)}{quote}" if quote else path
    prepared = prepare([f"recipe={value}"], ["recipe"])
    assert prepared.recipe_file == file
    assert compose([f"recipe={value}"], plugins().config_folders()).recipe_name() == name


def test_names_of_recipes_are_no_paths() -> None:
    assert path_of("quickstart") is None
    assert path_of("a.yaml,b.yaml") is None


def test_the_id_of_a_run_needs_no_quotes(store: Store) -> None:
    folder = runs.create(store, "a b/köln's (1)", (), {}, {}, "local")
    assert folder.root.name.partition("-")[2] == "a-b-köln-s-1-"


def test_the_home_folder_in_the_variable_of_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTRUN_STORE", "~/my store")
    assert default_store().root == Path.home() / "my store"
