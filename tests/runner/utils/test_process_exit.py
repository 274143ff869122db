"""Why a process ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftrun.utils import process_exit
from ftrun.utils.process_exit import count_memory_kills, describe_exit


@pytest.mark.parametrize(("code", "text"), [(3, "code 3"), (-9, "SIGKILL"), (-6, "SIGABRT"), (-99, "signal 99")])
def test_an_end_in_words(code: int, text: str) -> None:
    assert text in describe_exit(code)


def test_kills_of_the_machine_and_of_the_container_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"vmstat": "nr_free_pages 5\noom_kill 2\n", "events": "low 0\noom 9\noom_kill 3\noom_group_kill 0\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(process_exit, "COUNTERS", (tmp_path / "vmstat", tmp_path / "events", tmp_path / "none"))
    assert count_memory_kills() == 5


def test_a_machine_without_counters_has_no_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_exit, "COUNTERS", (tmp_path / "none",))
    assert count_memory_kills() == 0
