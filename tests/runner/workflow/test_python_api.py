from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import ftrun
from ftrun.api.artifacts import FormattedRows
from ftrun.api.errors import InvalidInput
from ftrun.api.events import Event
from ftrun.api.paths import Store
from ftrun.recipe.load import Loaded

FORMAT = ["stages=[format]", "dataset.source.path=rows.jsonl", "dataset.split.held_out=0"]


@pytest.fixture
def rows(folder: Path, loading: Callable[..., Loaded], store: Store) -> Path:
    loading()
    turns = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hi."}]
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps({"messages": turns}) + "\n" for _ in range(3)))
    return file


def test_a_recipe_is_loaded_planned_and_run(rows: Path) -> None:
    assert ftrun.load_recipe("mine.yaml", ["train.num_epochs=2"]).train["num_epochs"] == 2
    planned = ftrun.plan(Path("mine.yaml"), FORMAT)
    assert [call.label for call in planned.missing] == ["format"]
    events: list[Event] = []
    run = ftrun.run("mine.yaml", FORMAT, on_event=events.append)
    assert run.status == "done"
    assert len(list(FormattedRows(run.artifact("format")).examples("train"))) == 3
    assert [event["kind"] for event in events][-1] == "run_finished"
    assert ftrun.plan("mine.yaml", FORMAT).missing == []


def test_a_result_that_is_not_there_is_refused_with_those_that_are(rows: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        ftrun.run("mine.yaml", FORMAT).artifact("train")
    (problem,) = caught.value.problems
    assert (problem.code, problem.expected) == ("missing-result", "one of format")


def test_a_run_that_fails_raises_its_reason(rows: Path) -> None:
    rows.write_text('{"messages": []}\n')
    with pytest.raises(InvalidInput) as caught:
        ftrun.run("mine.yaml", FORMAT)
    assert [(problem.code, problem.at) for problem in caught.value.problems][1:] == [("empty-value", "rows.jsonl:1")]


def test_everything_is_exported_and_nothing_else() -> None:
    for name in ftrun.__all__:
        assert getattr(ftrun, name)
    with pytest.raises(AttributeError, match="nothing"):
        ftrun.nothing  # noqa: B018
