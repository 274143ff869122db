"""`ftrun report`: the file, wherever it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ftrun.api.paths import RunFolder, Store
from ftrun.cli.main import run_command
from ftrun.recipe.load import Loaded
from helpers.ended_runs import call, ended_run, result


@pytest.fixture
def a_run(loading: Callable[..., Loaded], store: Store) -> RunFolder:
    metrics = {"evaluate": {"evaluation": {"exact_match": result(0.1, 0.4, (0.2, 0.4), "better")}}}
    return ended_run(store, loading().recipe, [call("evaluate")], metrics=metrics)


def test_the_report_is_written_into_the_runs_folder(a_run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["report"]) == 0
    assert capsys.readouterr().out == f"{a_run.report}\n"
    assert "exact_match" in a_run.report.read_text()
    assert run_command(["show"]) == 0
    assert f"report   {a_run.report}" in capsys.readouterr().out


def test_the_report_is_written_where_it_is_asked_for(
    a_run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "new" / "mine.html"
    assert run_command(["report", a_run.id[:4], "--output", str(target), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"run": a_run.id, "report": str(target)}
    assert a_run.id in target.read_text()
    assert not a_run.report.exists()


def test_a_place_that_cannot_be_written_is_told(
    a_run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["report", "--output", str(tmp_path)]) == 2
    assert "[unwritable]" in capsys.readouterr().err
    assert run_command(["report", "nope"]) == 2
    assert "there is no run `nope`" in capsys.readouterr().err
