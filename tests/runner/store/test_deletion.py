"""What is removed goes whole, and nothing goes that somebody needs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ftrun.api.paths import RunFolder, Store
from ftrun.recipe.load import Loaded
from ftrun.store import runs
from ftrun.store.deletion import empty_trash, remove_artifact, remove_run, remove_scratch
from ftrun.store.locks import FileLock
from ftrun.store.references import collect_references, list_refs, stale_scratch
from helpers.catalogue.case import is_about
from helpers.ended_runs import call, ended_run

ROWS, MODEL = call("format"), call("train", {"data": call("format").ref})
Making = Callable[..., RunFolder]


@pytest.fixture
def making(loading: Callable[..., Loaded], store: Store) -> Making:
    def make(*calls: object, **record: object) -> RunFolder:
        made = calls or (ROWS, MODEL)
        files = {f"{one.label}/made.json": {"by": one.label} for one in made}  # type: ignore[attr-defined]
        return ended_run(store, loading().recipe, list(made), files, record=record)  # type: ignore[arg-type]

    return make


def test_uses_name_the_runs_of_each_artifact(making: Making, store: Store) -> None:
    first, other = making(), making(ROWS)
    making(call("merge"), remote={"app": "x"}, backend="modal")
    found = collect_references(store)
    assert found.find_runs(ROWS.ref) == sorted([first.id, other.id], key=found.find_runs(ROWS.ref).index)
    assert found.find_runs(ROWS.ref, ignored=[first.id]) == [other.id]
    assert found.find_runs(MODEL.ref) == [first.id]
    assert found.find_runs(call("merge").ref) == []


def test_an_artifact_goes_with_its_scratch(making: Making, store: Store) -> None:
    making()
    (store.scratch(MODEL.ref).work / "checkpoint-1").mkdir(parents=True)
    assert remove_artifact(store, MODEL.ref) is None
    assert list_refs(store) == [ROWS.ref]
    assert len(list(store.trash.iterdir())) == 2
    empty_trash(store)
    assert not store.trash.exists()


def test_what_an_open_run_needs_stays(making: Making, store: Store) -> None:
    folder = making(status="running")
    with FileLock(folder.lock) as lock:
        assert lock.try_acquire()
        problem = remove_artifact(store, ROWS.ref)
        assert problem is not None
        assert is_about(problem.code, problem.what, f"run-active `{folder.id}`")
        assert remove_run(store, folder) is not None
    assert store.artifact(ROWS.ref).is_dir()
    assert folder.record.exists()


def test_a_run_that_begins_meanwhile_gets_its_artifact_back(
    making: Making, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is seen at the second look, once the artifact was put aside."""
    folder = making()
    lock, looks = FileLock(folder.lock), []
    from ftrun.store import deletion

    look = deletion.find_open_run

    def begins_after_the_first_look(*arguments: object) -> str | None:
        found = look(*arguments)  # type: ignore[arg-type]
        looks.append(found)
        assert len(looks) > 1 or lock.try_acquire()
        return found

    monkeypatch.setattr(deletion, "find_open_run", begins_after_the_first_look)
    with lock:
        assert remove_artifact(store, ROWS.ref) is not None
    assert looks == [None, folder.id]
    assert (store.artifact(ROWS.ref) / "made.json").exists()


def test_what_a_living_process_works_on_stays(making: Making, store: Store) -> None:
    making()
    store.scratch(MODEL.ref).work.mkdir(parents=True)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from ftrun.store.locks import FileLock;"
            "lock = FileLock(Path(sys.argv[1])); print(lock.try_acquire(), flush=True); time.sleep(60)",
            str(store.lock(MODEL.ref)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        for remove in (remove_artifact, remove_scratch):
            problem = remove(store, MODEL.ref)
            assert problem is not None
            assert is_about(problem.code, problem.what, f"run-active `{MODEL.ref}`")
    finally:
        holder.kill()
        holder.communicate()
    assert store.artifact(MODEL.ref).is_dir()
    assert remove_artifact(store, MODEL.ref) is None


def test_a_removal_that_is_killed_leaves_things_whole_or_gone(making: Making, store: Store) -> None:
    """Killed at many moments, with an artifact of many files, which takes a while to delete."""
    folder = making()
    code = (
        "import sys; from pathlib import Path; from ftrun.api.paths import Store; from ftrun.api.stage_call import Ref;"
        "from ftrun.store.deletion import *; store = Store(Path(sys.argv[1])); print('go', flush=True);"
        "remove_artifact(store, Ref.parse(sys.argv[2])); empty_trash(store)"
    )
    many = 800
    outcomes = set()
    for delay in (0.0, 0.002, 0.005, 0.01, 0.02, 0.04, 0.3):
        target = store.artifact(MODEL.ref)
        target.mkdir(parents=True, exist_ok=True)
        for number in range(many):
            (target / f"{number}").touch()
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(store.root), str(MODEL.ref)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        there = len(list(target.glob("[0-9]*"))) if target.exists() else 0
        assert there in (0, many)
        outcomes.add(there)
    assert remove_artifact(store, MODEL.ref) is None
    empty_trash(store)
    assert not store.trash.exists()
    assert runs.load(folder).status == "done"


def test_scratch_of_what_was_finished_is_stale(making: Making, store: Store) -> None:
    from ftrun.store.artifacts import describe, publish

    making(ROWS)
    store.scratch(ROWS.ref).output.mkdir(parents=True)
    publish(store, ROWS.ref, describe(store, ROWS, "x", 1.0, {}, (), {}))
    store.scratch(ROWS.ref).work.mkdir(parents=True)
    store.scratch(MODEL.ref).work.mkdir(parents=True)
    assert list(stale_scratch(store)) == [ROWS.ref]


def test_a_run_is_removed_with_all_that_is_in_its_folder(making: Making, store: Store) -> None:
    folder = making()
    assert remove_run(store, folder) is None
    assert runs.all_runs(store) == []
    assert Path(store.artifact(ROWS.ref)).is_dir()
