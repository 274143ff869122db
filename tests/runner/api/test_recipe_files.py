"""Files that a recipe names are read with a limit, and each fault has a code and a place."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe_files import LARGEST_FILE, parse_json, read_recipe_file


def problem_of(read: Callable[[Path], object], path: Path) -> Problem:
    with pytest.raises(InvalidInput) as caught:
        read(path)
    (problem,) = caught.value.problems
    return problem


def test_a_text_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes("\ufeffé".encode())
    assert read_recipe_file(tmp_path / "x") == "é"


def test_a_missing_file_has_the_nearest_names(tmp_path: Path) -> None:
    (tmp_path / "template.jinja").touch()
    problem = problem_of(read_recipe_file, tmp_path / "templte.jinja")
    assert (problem.code, problem.did_you_mean) == ("file-not-found", ("template.jinja",))
    assert problem_of(read_recipe_file, tmp_path / "none" / "x").code == "file-not-found"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"x" * (LARGEST_FILE + 1), "too-large"),
        (b"\xff\xfea\x00", "invalid-encoding"),
        (b"[1]", "wrong-format"),
        (b"", "invalid-json"),
        (b"[" * 100_000, "too-deep"),
    ],
    ids=["too large", "UTF-16", "an array", "empty", "deep"],
)
def test_a_file_that_is_no_json_object(content: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(content)
    problem = problem_of(parse_json, tmp_path / "x.json")
    assert problem.code == code
    assert str(problem.at).startswith(str(tmp_path / "x.json"))


def test_a_syntax_error_has_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": 1,\n "b": }')
    problem = problem_of(parse_json, tmp_path / "x.json")
    assert (problem.code, problem.at) == ("invalid-json", f"{tmp_path / 'x.json'}:2:7")


def test_an_object_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps({"a": [1]}))
    assert parse_json(tmp_path / "x.json") == {"a": [1]}


def test_a_device_or_a_folder_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        assert problem_of(read_recipe_file, path).code == "file-unreadable"


def test_a_loop_of_links_and_a_nul_byte_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert problem_of(read_recipe_file, tmp_path / "loop").code in ("file-unreadable", "file-not-found")
    assert problem_of(read_recipe_file, tmp_path / "a\0b").code in ("file-unreadable", "file-not-found")
