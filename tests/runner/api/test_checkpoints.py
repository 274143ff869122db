"""Only a checkpoint with a mark is continued from; others are removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftrun.api import checkpoints
from ftrun.api.checkpoints import last_step, mark, remove_unfinished, remove_unmarked


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Whole checkpoints of steps 5 and 9, half ones of 10 and 11, and what is no checkpoint."""
    for step in (5, 9, 10, 11):
        folder = tmp_path / f"checkpoint-{step}"
        (folder / "optimizer").mkdir(parents=True)
        (folder / "optimizer" / "state.pt").write_text("x")
        if step < 10:
            mark(folder)
    (tmp_path / "checkpoint-best").mkdir()
    (tmp_path / "checkpoint-12").write_text("a file")
    (tmp_path / "runs").mkdir()
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_checkpoints_are_folders_with_a_step(out: Path) -> None:
    assert {step: folder.name for step, folder in checkpoints.checkpoints(out)} == {
        step: f"checkpoint-{step}" for step in (5, 9, 10, 11)
    }


def test_training_continues_from_the_last_whole_one(out: Path) -> None:
    assert last_step(out) == 9
    (out / "checkpoint-9" / "complete").unlink()
    assert last_step(out) == 5
    (out / "checkpoint-5" / "complete").unlink()
    assert last_step(out) is None


def test_half_checkpoints_are_removed_and_nothing_else(out: Path) -> None:
    before = names(out)
    assert remove_unfinished(out) == [10, 11]
    assert before - names(out) == {"checkpoint-10", "checkpoint-11"}
    assert remove_unfinished(out) == []


def test_a_folder_without_a_mark_is_removed(out: Path) -> None:
    assert remove_unmarked(out / "runs")
    assert not (out / "runs").exists()
    assert not remove_unmarked(out / "runs")
    assert not remove_unmarked(out / "checkpoint-9")
    assert (out / "checkpoint-9").exists()


def test_files_reach_the_disk_before_the_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "state.pt").write_text("x")
    synced = []
    monkeypatch.setattr(checkpoints, "sync", lambda path: synced.append((path.name, (tmp_path / "complete").exists())))
    mark(tmp_path)
    assert synced == [("state.pt", False), (tmp_path.name, True)]
