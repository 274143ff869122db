"""An attempt finds complete checkpoints and what else its stage can continue from; all other leftovers are removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftrun.api import checkpoints
from ftrun.api.checkpoints import is_complete, last_step, mark, remove_leftovers


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Whole checkpoints of steps 5 and 9, half ones of 10 and 11, and what is no checkpoint."""
    tmp_path = tmp_path / "out"
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


def test_a_mark_counts_while_its_files_are_whole(out: Path) -> None:
    folder = out / "checkpoint-9"
    (folder / "later").write_text("of another process")
    assert is_complete(folder)
    (folder / "optimizer" / "state.pt").write_text("")
    assert not is_complete(folder)
    (folder / "optimizer" / "state.pt").unlink()  # a kill while the folder was removed
    assert not is_complete(folder)
    assert last_step(out) == 5


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_a_damaged_mark_is_no_mark(content: str, out: Path) -> None:
    (out / "checkpoint-9" / "complete").write_text(content)
    assert last_step(out) == 5


def test_an_attempt_finds_only_what_it_continues_from(out: Path) -> None:
    work = out.parent
    (out / "optimizer.pt").symlink_to(out / "checkpoint-9")
    (out / "runs" / "events").write_text("x")
    for name in ("prepared", "shards/0"):
        (work / name).mkdir(parents=True)
        (work / name / "half.arrow").write_text("x")
    (work / "rows.jsonl").write_text("x")
    (work / "stop").touch()
    patterns = ("out/checkpoint-*/", "out/runs/*", "prepared/", "rows.jsonl", "absent/")
    removed = remove_leftovers(work, patterns)
    assert removed == ["out/checkpoint-10", "out/checkpoint-11", "out/checkpoint-best", "prepared"]
    assert names(work) == {"out", "rows.jsonl"}
    assert names(out) == {"checkpoint-5", "checkpoint-9", "runs"}
    assert names(out / "checkpoint-9") == {"complete", "optimizer"}
    assert remove_leftovers(work, patterns) == []
    assert remove_leftovers(work, ()) == []
    assert names(work) == set()


def test_files_reach_the_disk_before_the_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "state.pt").write_text("x")
    synced = []
    monkeypatch.setattr(checkpoints, "sync", lambda path: synced.append((path.name, (tmp_path / "complete").exists())))
    mark(tmp_path)
    assert synced == [("state.pt", False), (tmp_path.name, True)]
    assert is_complete(tmp_path)
