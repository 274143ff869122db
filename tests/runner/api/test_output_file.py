"""Files that the user names for output."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.output_file import is_stream, write_output
from ftrun.api.paths import Store
from ftrun.recipe.load import Loaded
from helpers.ended_runs import call, ended_run
from helpers.workplace import FTRUN

WRITE = "import sys; from pathlib import Path; from ftrun.api.output_file import write_output; "

AXOLOTL = """\
base_model: a/b
datasets: [{path: c/d, type: alpaca}]
adapter: lora
learning_rate: 1e-4
micro_batch_size: 1
gradient_accumulation_steps: 1
num_epochs: 1
sequence_len: 512
optimizer: adamw_torch
"""


def test_an_ordinary_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.html"
    assert not write_output(path, "one")
    path.chmod(0o640)
    with path.open() as old:
        write_output(path, "two")
        assert old.read() == "one"  # a reader never sees half a file
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("two", 0o640)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_a_link(exists: bool, tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    if exists:
        target.write_text("old and longer")
    link.symlink_to(target)
    write_output(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_another_name_of_a_file_stays_the_same_file(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("old")
    other.hardlink_to(one)
    write_output(one, "new")
    assert other.read_text() == "new"


def test_a_device_stays_a_device() -> None:
    before = Path("/dev/null").stat()
    write_output(Path("/dev/null"), "x" * 100_000)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert Path("/dev/null").stat().st_ino == before.st_ino


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    write_output(pipe, "x" * 100_000)
    reader.join(30)
    assert got == ["x" * 100_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("place", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_the_standard_output_is_continued(place: str, tmp_path: Path) -> None:
    code = f"{WRITE} print('before'); done = write_output(Path(sys.argv[1]), 'text\\n'); print(done)"
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", code, place], stdout=out, check=True)
    piped = subprocess.run([sys.executable, "-c", code, place], capture_output=True, check=True, text=True)
    assert (tmp_path / "out").read_text() == piped.stdout == "before\ntext\nTrue\n"


@pytest.mark.parametrize("name", ["", "x" * 5000, "x" * 300, "a\0b", "file/inside", "/proc/none/x"])
def test_a_place_that_cannot_be_is_one_problem(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput) as refused:
        write_output(tmp_path / name, "text")
    (problem,) = refused.value.problems
    assert problem.code == "unwritable"
    assert len(problem.what) < 500


def test_what_is_a_stream(tmp_path: Path) -> None:
    assert is_stream(Path("/dev/null"))
    assert not any(map(is_stream, (tmp_path, tmp_path / "none", tmp_path / ("x" * 300))))


def test_the_options_of_all_commands_write_to_what_is_named(
    store: Store, loading: Callable[..., Loaded], tmp_path: Path
) -> None:
    ended_run(store, loading().recipe, [call("format")])
    (tmp_path / "axolotl.yml").write_text(AXOLOTL)
    for arguments in (("report", "last"), ("schema",), ("import", "axolotl.yml")):
        target, link = tmp_path / f"{arguments[0]}.yaml", tmp_path / f"{arguments[0]}-link.yaml"
        target.write_text("old")
        link.symlink_to(target)
        force = ["--force"] if arguments[0] == "import" else []
        for place in (link, Path("/dev/null"), Path("/dev/stdout")):
            command = [str(FTRUN), *arguments, "--output", str(place), *force]
            ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert ended.returncode == 0, ended.stderr
            if place == Path("/dev/stdout"):
                assert ended.stdout.splitlines()[2:] == target.read_text().splitlines()[2:]
        assert link.is_symlink()
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
