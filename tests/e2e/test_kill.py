"""Whatever dies while a model trains, `ftrun resume` goes on to the same weights and numbers, with one trainer."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ftrun.api.checkpoints import is_complete
from helpers.terminal import Terminal
from helpers.workplace import FTRUN, Watch, Workplace, is_alive, kill, read_json, wait_until

if TYPE_CHECKING:
    from conftest import Finished

pytestmark = pytest.mark.e2e

RECIPE = ("recipe=tiny.yaml", "evals=[held_out_loss]")  # answers tell nothing that losses do not
MARK = "complete"


def test_a_killed_trainer_is_resumed_to_the_same_result(ready_to_train: Workplace, finished: Finished) -> None:
    workplace = ready_to_train
    ftrun = workplace.start(*RECIPE)
    workplace.wait_for_event("progress", "train", ftrun, step=5)
    (trainer,) = workplace.stage_processes("train")
    kill(trainer)
    ended = workplace.end(ftrun, expected=1)
    assert "SIGKILL" in ended.err
    assert "ftrun resume last" in ended.err
    assert not list(workplace.store.glob("artifacts/train/*"))

    _cut_prepared_rows(workplace)
    workplace.run("resume", "last")
    resumed = [event["step"] for event in workplace.events() if event["kind"] == "resumed"]
    assert resumed == [3]
    _assert_same_result(workplace, finished)
    repeated = [event["step"] for event in workplace.events() if event["kind"] == "progress" and "loss" in event]
    assert repeated.count(4) == repeated.count(5) == 2  # and `_assert_same_result` saw one loss for each


def _cut_prepared_rows(workplace: Workplace) -> None:
    """Leave the trainer's prepared rows as a kill or a full disk leaves them while they are saved."""
    (prepared,) = workplace.store.glob("scratch/train/*/work/prepared")
    (prepared / MARK).unlink(missing_ok=True)
    for path in prepared.glob("*/*.arrow"):
        os.truncate(path, path.stat().st_size // 2)
    for path in prepared.glob("*/*.json"):
        path.unlink()


@pytest.mark.drill
def test_a_trainer_outlives_ftrun_and_resume_attaches_to_it(ready_to_train: Workplace, finished: Finished) -> None:
    workplace = ready_to_train
    with Watch(workplace) as watch:
        ftrun = workplace.start(*RECIPE)
        workplace.wait_for_event("checkpoint", "train", ftrun, step=3)
        (trainer,) = workplace.stage_processes("train")
        kill(ftrun.pid)
        ftrun.communicate()
        assert is_alive(trainer)
        for command in ("runs", "show"):
            assert "interrupted" in (out := workplace.run(command).out)
            assert f"train continues in process {trainer}" in out
        workplace.run("resume", "last")
    assert watch.seen == {trainer}
    assert watch.most == 1
    assert "train" in workplace.calls("call_waiting")
    assert workplace.calls("call_started").count("train") == 1
    _assert_same_result(workplace, finished)


@pytest.mark.drill
def test_ctrl_c_stops_a_trainer_that_a_resume_attached_to(ready_to_train: Workplace) -> None:
    workplace = ready_to_train
    ftrun = workplace.start(*RECIPE)
    workplace.wait_for_event("progress", "train", ftrun, step=1)
    (trainer,) = workplace.stage_processes("train")
    kill(ftrun.pid)
    ftrun.communicate()
    resumed = workplace.start("resume", "last")
    workplace.wait_for_event("call_waiting", "train", resumed)
    os.kill(resumed.pid, signal.SIGINT)
    workplace.end(resumed, expected=130)
    assert not is_alive(trainer)
    assert [folder for folder in workplace.checkpoints() if (folder / MARK).exists()]


@pytest.mark.drill
def test_ctrl_c_leaves_a_checkpoint_to_go_on_from(ready_to_train: Workplace, finished: Finished) -> None:
    workplace = ready_to_train
    ftrun = workplace.start(*RECIPE)
    workplace.wait_for_event("progress", "train", ftrun, step=4)
    (trainer,) = workplace.stage_processes("train")
    os.kill(ftrun.pid, signal.SIGINT)
    ended = workplace.end(ftrun, expected=130)
    assert "ftrun resume last" in ended.err
    assert not is_alive(trainer)
    whole = [folder for folder in workplace.checkpoints() if (folder / MARK).exists()]
    last = max(whole, key=_step)
    assert _step(last) % 3 != 0  # no checkpoint that would have been written anyway

    half = last.with_name("checkpoint-11")  # as a kill in the midst of a save leaves it
    shutil.copytree(last, half)
    (half / MARK).unlink()
    workplace.run("resume", "last")
    warnings = [event["text"] for event in workplace.events() if event["kind"] == "warning"]
    assert any("checkpoint-11" in text for text in warnings)
    resumed = [event["step"] for event in workplace.events() if event["kind"] == "resumed"]
    assert resumed == [_step(last)]
    _assert_same_result(workplace, finished)


@pytest.mark.slow
def test_a_closed_terminal_ends_a_run_like_ctrl_c(ready_to_train: Workplace) -> None:
    workplace = ready_to_train
    with Terminal(["bash", "--norc", "--noprofile"], workplace.folder, workplace.environment) as terminal:
        terminal.type(f"{FTRUN} {' '.join(RECIPE)} train.max_steps=200\n")  # it must not end before
        wait_until(lambda: len(workplace.runs()) == 1, "a run")
        workplace.wait_for_event("progress", "train", step=1)
        (trainer,) = workplace.stage_processes("train")
        (ftrun,) = [read_json(folder / "scheduler.json")["pid"] for folder in workplace.runs()]
        terminal.close()
        wait_until(lambda: not is_alive(ftrun), "the end of ftrun", seconds=120)
    assert not is_alive(trainer)
    assert [folder for folder in workplace.checkpoints() if is_complete(folder)]
    (run,) = json.loads(workplace.run("runs", "--json").out)
    assert (run["status"], run["processes"]) == ("interrupted", [])
    record = read_json(workplace.runs()[-1] / "run.json")
    assert (record["status"], record["exit_code"]) == ("interrupted", 130)  # as ftrun itself wrote it


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _assert_same_result(workplace: Workplace, finished: Finished) -> None:
    assert workplace.losses() == finished.losses()
    assert _own_result(workplace.evaluation()["held_out_loss"]) == _own_result(finished.evaluation()["held_out_loss"])
    for label, name in (("train", "adapter_model.safetensors"), ("merge", "model.safetensors")):
        assert _digest(workplace.artifact(label) / name) == _digest(finished.artifact(label) / name)
    assert workplace.half_artifacts() == []
    assert not list(workplace.store.glob("scratch/*/*/"))


def _own_result(result: dict[str, Any]) -> dict[str, Any]:
    """The result without what depends on the number of evaluations of the run."""
    return {key: value for key, value in result.items() if key not in ("comparisons", "p_adjusted")}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
