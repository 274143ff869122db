"""A recipe's models are found in the run that made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.paths import default_store
from ftrun.workflow.session import open_session
from ftrun_plugins.serving.run_for_recipe import find_run_for
from helpers.ended_runs import ended_run

RECIPE = "recipe=quickstart"


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTRUN_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)


def run(*overrides: str, status: str = "done") -> str:
    session = open_session((RECIPE, *overrides))
    return ended_run(default_store(), session.loaded.recipe, session.plan.calls, record={"status": status}).id


def test_the_newest_run_with_the_same_models_is_taken_whatever_else_it_did() -> None:
    run()
    other = run("evals=[exact_match]", "serve.max_model_len=512")
    run("train.learning_rate=0.5")
    run(status="failed")
    found, recipe = find_run_for((RECIPE, "serve.max_model_len=1024"))
    assert found == other
    assert recipe.serve.max_model_len == 1024


def test_a_recipe_that_nobody_ran_is_refused_with_the_command_that_runs_it() -> None:
    run("train.learning_rate=0.5")
    with pytest.raises(InvalidInput, match="no run has made the models") as refused:
        find_run_for((RECIPE,))
    assert refused.value.problems[0].hint == "ftrun recipe=quickstart"
