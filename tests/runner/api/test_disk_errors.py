from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun.api.disk_errors import disk_problem, store_errors
from ftrun.api.errors import StoreError
from ftrun.api.paths import Store, default_store
from ftrun.api.stage_call import Ref
from ftrun.utils.atomic_io import read_json, write_json, write_text
from ftrun.utils.sizes import folder_size, human_size

NAME = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-.", min_size=1, max_size=12).filter(lambda name: name.strip("."))
KEY = st.text("0123456789abcdef", min_size=32, max_size=32)


def test_a_json_value_survives_its_file(tmp_path: Path) -> None:
    value = {"b": [1, None, "ü\n"], "a": {}}
    write_json(tmp_path / "new" / "x.json", value)
    assert read_json(tmp_path / "new" / "x.json") == value
    assert read_json(tmp_path / "none.json") is None


def test_a_text_that_cannot_be_written_leaves_the_old_one_and_nothing_aside(tmp_path: Path) -> None:
    write_text(tmp_path / "x", "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "x", "new \ud800")
    assert (tmp_path / "x").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def wrapped(inner: BaseException) -> BaseException:
    """As a library raises it: an error of its own, from the system's."""
    try:
        try:
            raise inner
        except type(inner) as error:
            raise RuntimeError("could not save") from error
    except RuntimeError as outer:
        return outer


def handled(inner: BaseException) -> BaseException:
    """As it is when another error happens while it is handled."""
    try:
        try:
            raise inner
        except type(inner):
            raise KeyError("x")  # noqa: B904
    except KeyError as outer:
        return outer


@pytest.mark.parametrize("how", [lambda error: error, wrapped, handled])
@pytest.mark.parametrize(
    ("code", "what", "do"),
    [
        (errno.ENOSPC, "the disk is full", "free space"),
        (errno.EDQUOT, "the disk is full", "free space"),
        (errno.EROFS, "read-only", "FTRUN_STORE"),
        (errno.EACCES, "no permission", "FTRUN_STORE"),
        (errno.EPERM, "no permission", "FTRUN_STORE"),
    ],
)
def test_an_error_of_the_disk_says_what_to_do(how: object, code: int, what: str, do: str, tmp_path: Path) -> None:
    assert callable(how)
    problem = disk_problem(how(OSError(code, os.strerror(code))), tmp_path)
    assert problem is not None
    assert what in problem.what
    assert str(tmp_path) in problem.what
    assert do in (problem.hint or "")


@pytest.mark.parametrize(
    "text", ["No space left on device (os error 28)", "I/O error: os error 28", "write: No space left on device"]
)
def test_a_full_disk_is_known_by_its_words_alone(text: str, tmp_path: Path) -> None:
    problem = disk_problem(RuntimeError(text), tmp_path)
    assert problem is not None
    assert "the disk is full" in problem.what


def test_a_full_disk_explains_a_later_error(tmp_path: Path) -> None:
    error = FileNotFoundError(errno.ENOENT, "data-00000-of-00002.arrow")
    error.__cause__ = RuntimeError("OSError: [Errno 28] No space left on device")  # of a worker process
    problem = disk_problem(error, tmp_path)
    assert problem is not None
    assert problem.code == "disk-full"


@pytest.mark.parametrize(("free", "code"), [(0, "disk-full"), (10**9, None)])
def test_a_write_that_failed_without_a_reason(
    free: int, code: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftrun.api.disk_errors._free_space", lambda root: free)
    problem = disk_problem(RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0"), tmp_path)
    assert (problem and problem.code) == code


@pytest.mark.parametrize(
    "error", [ValueError("x"), FileNotFoundError(errno.ENOENT, "x"), OSError("x"), TimeoutError(), KeyError("x")]
)
def test_any_other_error_is_not_the_disks(error: BaseException, tmp_path: Path) -> None:
    assert disk_problem(error, tmp_path) is None


def test_a_full_disk_names_the_largest_folders(tmp_path: Path) -> None:
    for name, size in (("artifacts/train/small", 10), ("scratch/train/big", 5000), ("artifacts/fetch/middle", 1000)):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x").write_bytes(b"x" * size)
    problem = disk_problem(OSError(errno.ENOSPC, ""), tmp_path)
    assert problem is not None
    named = "scratch/train/big 5.0 kB, artifacts/fetch/middle 1.0 kB, artifacts/train/small 10 B"
    assert named in (problem.hint or "")


def test_a_full_disk_is_told_also_where_the_store_is_not_made_yet(tmp_path: Path) -> None:
    problem = disk_problem(OSError(errno.ENOSPC, ""), tmp_path / "not" / "yet")
    assert problem is not None
    assert " free at " in problem.what
    assert (problem.hint or "").startswith("free space, then")


def test_errors_of_the_disk_become_errors_of_the_store_and_others_stay(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the disk is full") as caught, store_errors(tmp_path):
        raise OSError(errno.ENOSPC, "full")
    assert caught.value.exit_code == 1
    with pytest.raises(FileNotFoundError), store_errors(tmp_path):
        raise FileNotFoundError(errno.ENOENT, "x")


def test_a_folders_size_counts_no_file_twice_through_links(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "x").write_bytes(b"x" * 100)
    (tmp_path / "a" / "b" / "y").write_bytes(b"x" * 11)
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a" / "b")
    assert folder_size(tmp_path / "a") == 111
    assert folder_size(tmp_path / "none") == 0


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2.5e6, "2.5 MB"), (13.4e9, "13.4 GB"), (5e12, "5.0 TB")],
)
def test_sizes_for_people(size: float, text: str) -> None:
    assert human_size(size) == text


@given(NAME, KEY, NAME, KEY)
def test_two_refs_never_share_a_place(stage: str, key: str, other_stage: str, other_key: str) -> None:
    store, one, other = Store(Path("/store")), Ref(stage=stage, key=key), Ref(stage=other_stage, key=other_key)

    def places(ref: Ref) -> set[Path]:
        scratch = store.scratch(ref)
        inside = {scratch.output, scratch.work, scratch.call, scratch.outcome, scratch.process}
        return {store.artifact(ref), store.lock(ref), scratch.root, *inside}

    assert len(places(one)) == 8
    assert places(one).isdisjoint(places(other)) is (one != other)


@given(NAME, NAME, st.sampled_from(["", ":base", ":tuned"]), st.sampled_from(["", ":base", ":tuned"]))
def test_two_calls_of_a_run_never_share_a_log(stage: str, other: str, role: str, other_role: str) -> None:
    run = Store(Path("/store")).run("x")
    one_label, other_label = stage.replace(".", "_") + role, other.replace(".", "_") + other_role
    assert (run.log(one_label) == run.log(other_label)) is (one_label == other_label)
    assert run.log(one_label).parent == run.root / "logs"


def test_the_store_is_the_one_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FTRUN_STORE", "mine")
    assert default_store().root == tmp_path / "mine"
    monkeypatch.delenv("FTRUN_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_store().root == tmp_path / "data" / "ftrun"
