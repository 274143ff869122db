"""`ftrun runs` and `ftrun show`: whether the processes of a run are still alive."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ftrun.api.paths import RunFolder, Store
from ftrun.cli.main import run_command
from ftrun.recipe.load import Loaded
from ftrun.store.locks import FileLock
from ftrun.store.processes import LiveProcess, live_processes
from ftrun.utils.atomic_io import write_json
from helpers.ended_runs import call, ended_run

TRAIN = call("train")


@pytest.fixture
def interrupted(loading: Callable[..., Loaded], store: Store) -> RunFolder:
    """A run whose scheduler was killed while it trained."""
    folder = ended_run(store, loading().recipe, [TRAIN], record={"status": "running", "ended": None, "results": {}})
    write_json(store.scratch(TRAIN.ref).call, {"call": TRAIN.model_dump(mode="json")})
    write_json(store.scratch(TRAIN.ref).process, {"pid": os.getpid(), "run": folder.id})
    return folder


@pytest.fixture
def trainer(interrupted: RunFolder, store: Store) -> Iterator[None]:
    """This process, as the trainer that lives on: it has the lock of the key."""
    with FileLock(store.lock(TRAIN.ref)) as lock:
        assert lock.try_acquire()
        yield


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run_command([*arguments]) == 0
    return capsys.readouterr().out


def test_a_trainer_that_outlived_ftrun_is_named(
    interrupted: RunFolder, trainer: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["runs", "--local"], ["show", interrupted.id]):
        out = printed(capsys, *command)
        assert "interrupted" in out
        assert f"train continues in process {os.getpid()}" in out
    process = [{"call": "train", "pid": os.getpid()}]
    assert json.loads(printed(capsys, "runs", "--local", "--json"))[0]["processes"] == process
    assert json.loads(printed(capsys, "show", "--json"))["processes"] == process


def test_a_process_that_has_ended_is_not(interrupted: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["runs", "--local"], ["show", interrupted.id]):
        out = printed(capsys, *command)
        assert "interrupted" in out
        assert "continues in" not in out
    assert json.loads(printed(capsys, "runs", "--local", "--json"))[0]["processes"] == []


@pytest.mark.parametrize("content", ["", "[]", '{"pid": "x", "run": "a"}', "{}"])
def test_a_damaged_file_is_no_process(
    content: str, interrupted: RunFolder, trainer: None, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert live_processes(store) == {interrupted.id: [LiveProcess("train", os.getpid())]}
    Path(store.scratch(TRAIN.ref).process).write_text(content)
    assert live_processes(store) == {}
    assert "interrupted" in printed(capsys, "runs", "--local")
