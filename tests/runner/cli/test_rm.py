"""`ftrun rm`: what it says before it removes anything, what it refuses, and what is gone then."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ftrun.api.paths import MANIFEST, RunFolder, Store
from ftrun.api.stage_call import StageCall
from ftrun.cli.main import run_command
from ftrun.recipe.load import Loaded
from ftrun.store import runs
from ftrun.store.locks import FileLock
from ftrun.store.references import list_refs
from helpers.ended_runs import call, ended_run

ROWS = call("format")
ONE, TWO = call("train", {"data": ROWS.ref}, name="one"), call("train", {"data": ROWS.ref}, name="two")
Making = Callable[..., RunFolder]


@pytest.fixture
def making(loading: Callable[..., Loaded], store: Store) -> Making:
    def make(*calls: StageCall, **record: Any) -> RunFolder:
        files = {f"{one.label}/made.json": "x" * 1000 for one in calls}
        return ended_run(store, loading().recipe, calls, files, record=record)

    return make


def test_a_run_goes_and_its_artifacts_stay(making: Making, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    folder = making(ROWS, ONE)
    assert run_command(["rm", "last", "--yes"]) == 0
    out = capsys.readouterr().out
    assert f"{folder.id}: record, logs and report" in out
    assert "their 2 artifacts stay" in out
    assert "kB freed" in out
    assert (runs.all_runs(store), len(list_refs(store))) == ([], 2)
    assert not store.trash.exists()


def test_with_artifacts_only_what_others_need_stays(
    making: Making, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, other = making(ROWS, ONE), making(ROWS, TWO)
    assert run_command(["rm", folder.id, "--artifacts", "--yes"]) == 0
    out = capsys.readouterr().out
    assert f"artifact  {ONE.ref}" in out
    assert f"{ROWS.ref!s:<44} needed by {other.id}" in out
    assert list_refs(store) == sorted([ROWS.ref, TWO.ref], key=str)
    assert [record.id for record in runs.all_runs(store)] == [other.id]


def test_two_runs_may_go_with_what_they_share(making: Making, store: Store) -> None:
    folder, other = making(ROWS, ONE), making(ROWS, TWO)
    assert run_command(["rm", folder.id, other.id, "--artifacts", "--yes"]) == 0
    assert (runs.all_runs(store), list_refs(store)) == ([], [])


def test_an_artifact_names_who_used_it(making: Making, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    folder = making(ROWS, ONE)
    assert run_command(["rm", str(ONE.ref)[:12], "--yes"]) == 0
    assert f"used by {folder.id}; `ftrun resume`" in capsys.readouterr().out
    assert list_refs(store) == [ROWS.ref]


def test_nothing_is_removed_without_being_asked(
    making: Making, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    making(ROWS)
    for flags in ([], ["--json"]):
        assert run_command(["rm", "last", *flags]) == 2
        assert "nothing was removed" in "".join(capsys.readouterr())
    assert len(runs.all_runs(store)) == 1


@pytest.mark.parametrize("arguments", [["last"], ["last", "--artifacts"], [str(ROWS.ref)]])
def test_an_open_run_keeps_everything(
    arguments: list[str], making: Making, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = making(ROWS, status="running")
    with FileLock(folder.lock) as lock:
        assert lock.try_acquire()
        assert run_command(["rm", *arguments, "--yes"]) == 2
    assert f"ftrun cancel {folder.id}" in capsys.readouterr().err
    assert folder.record.exists()
    assert list_refs(store) == [ROWS.ref]


def test_unused_is_what_no_run_refers_to(making: Making, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    making(ROWS, ONE)
    store.artifact(TWO.ref).mkdir(parents=True)
    left = call("merge")
    store.scratch(left.ref).work.mkdir(parents=True)
    (store.artifact(ONE.ref) / MANIFEST).unlink()  # its artifact is not whole, so its scratch is needed
    store.scratch(ONE.ref).work.mkdir(parents=True)
    assert run_command(["rm", "--unused", "--yes", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["artifacts"]) == {str(TWO.ref), str(left.ref)}
    assert list_refs(store) == sorted([ROWS.ref, ONE.ref], key=str)
    assert store.scratch(ONE.ref).work.is_dir()
    assert run_command(["rm", "--unused", "--yes"]) == 0
    assert capsys.readouterr().out == "nothing to remove\n"


def test_unused_leaves_what_is_worked_on(making: Making, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.scratch(ONE.ref).work.mkdir(parents=True)
    with FileLock(store.lock(ONE.ref)) as lock:
        assert lock.try_acquire()
        assert run_command(["rm", "--unused", "--yes"]) == 0
    assert "1 more stay" in capsys.readouterr().out
    assert list_refs(store) == [ONE.ref]


def test_what_a_server_has_stays(making: Making, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    making(ROWS)
    with FileLock(store.lock(ROWS.ref)) as lock:
        assert lock.try_share()
        assert run_command(["rm", str(ROWS.ref), "--yes"]) == 2
    assert "[run-active]" in capsys.readouterr().err
    assert ROWS.ref in list_refs(store)


def test_a_killed_removal_is_finished_by_the_next(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    (store.trash / "format-x-1").mkdir(parents=True)
    assert run_command(["rm", "--unused"]) == 0
    assert not store.trash.exists()


def test_what_an_unreadable_run_needs_is_not_guessed(
    making: Making, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, other = making(ROWS), making(ROWS, ONE)
    broken.plan.write_text("{")
    assert run_command(["rm", other.id, "--artifacts", "--yes"]) == 2
    assert f"the plan of {broken.id} cannot be read" in capsys.readouterr().err
    assert run_command(["rm", broken.id, "--yes"]) == 0
    assert run_command(["rm", other.id, "--artifacts", "--yes"]) == 0
    assert list_refs(store) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema_version": 99}', None])
def test_unused_is_not_guessed_while_a_plan_cannot_be_read(
    content: str | None, making: Making, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = making(ROWS, TWO)
    making(ROWS, ONE)
    broken.plan.write_text(content) if content is not None else broken.plan.unlink()
    refs = list_refs(store)
    capsys.readouterr()
    assert run_command(["rm", "--unused", "--yes", "--json"]) == 2
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["code"], problem["at"]) == ("damaged-record", str(broken.plan))
    assert f"`ftrun rm {broken.id}`" in problem["hint"]
    assert list_refs(store) == refs
    assert run_command(["rm", broken.id, "--yes"]) == 0
    assert run_command(["rm", "--unused", "--yes"]) == 0
    assert list_refs(store) == sorted([ROWS.ref, ONE.ref], key=str)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "[usage]"),
        (["--unused", "last"], "--unused takes no names"),
        (["nobody"], "there is no run `nobody`"),
        (["train/nothing"], "there is no artifact `train/nothing`"),
        (["../../etc/passwd"], "there is no artifact"),
        (["train/"], "there is no artifact `train/`"),
    ],
)
def test_what_is_not_there_is_said(
    arguments: list[str], what: str, making: Making, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    making(ROWS, ONE)
    assert run_command(["rm", *arguments, "--yes"]) == 2
    assert what in capsys.readouterr().err
    assert len(list_refs(store)) == 2


def test_the_list_is_bounded(making: Making, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(50):
        store.artifact(call("format", n=number).ref).mkdir(parents=True)
    assert run_command(["rm", "--unused", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "artifact  and 20 more" in out
    assert len(out.splitlines()) < 40
