"""A secret in a recipe or an override is refused before it is recorded, and no output shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ftrun.api.paths import Store
from ftrun.api.redaction import HIDDEN
from ftrun.cli.main import run_command
from ftrun.recipe.load import Loaded
from helpers.ended_runs import call, ended_run

Loading = Callable[..., Loaded]
SECRET = "hunter2-hunter2"
TOKEN = "hf_abcdefghijklmnopqrstuv"
NAMED = (
    "train.comet_api_key",
    "train.wandb_key",
    "train.swanlab_lark_secret",
    "+train.hub_token",
    "evals.exact_match.api_key",
    "environment.trainer.variables.HF_TOKEN",
    "environment.trainer.variables.MY_PASSWORD",
    "model.nope.password",
)


@pytest.mark.parametrize("key", NAMED)
@pytest.mark.parametrize("verb", ["validate", "run", "preview"])
def test_a_secret_in_an_override_is_refused_by_its_name(
    verb: str, key: str, folder: Path, store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_command([verb, "recipe=quickstart", f"{key}={SECRET}"]) == 2
    shown = "".join(capfd.readouterr())
    assert "[secret-in-recipe]" in shown
    assert SECRET not in shown
    assert f"override {key.lstrip('+')}={HIDDEN}" in shown
    assert not list(store.root.rglob("run.json"))


@pytest.mark.parametrize(
    "override",
    [
        f"train.wandb_name={TOKEN}",
        f"train.wandb_name=run-{SECRET}-1",  # the value of a variable
        f"environment.trainer.variables={{HF_TOKEN: {SECRET}}}",
        f"train.lr_scheduler_kwargs={{a: 1, api_key: '{SECRET}'}}",
        f"train.comet_api_key='{SECRET}",  # not readable
        f"train.comet_api_key={SECRET},another-one",
    ],
)
def test_a_secret_in_an_override_is_refused_by_its_value(
    override: str, folder: Path, store: Store, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    for flags in ([], ["--json"]):
        assert run_command(["validate", *flags, "recipe=quickstart", override]) == 2
        shown = "".join(capfd.readouterr())
        assert "secret-in-recipe" in shown
        assert SECRET not in shown
        assert TOKEN not in shown


def test_a_secret_in_a_recipe_is_refused_with_its_place(
    folder: Path, store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    train = f"  comet_api_key: {SECRET}\n  x: [{{api_key: {TOKEN}}}]\n"
    (folder / "a.yaml").write_text(f"defaults: [quickstart]\ntrain:\n{train}")
    assert run_command(["run", "recipe=a.yaml"]) == 2
    shown = "".join(capfd.readouterr())
    assert "a.yaml:3:3" in shown
    assert "a.yaml:4:8" in shown
    assert "COMET_API_KEY" in shown
    assert SECRET not in shown
    assert TOKEN not in shown


@pytest.mark.parametrize(
    "override", ["train.special_tokens={pad_token: '</s>'}", "train.comet_api_key=null", "dataset.row_key=null"]
)
def test_what_is_no_secret_is_accepted(override: str, loading: Loading) -> None:
    loading(override)


def test_a_secret_that_an_older_version_recorded_is_hidden(
    store: Store, loading: Loading, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "in-a-variable")
    overrides = ("recipe=mine", f"train.comet_api_key={SECRET}")
    notes = {"train": {"notes": ["in-a-variable"]}}
    ended_run(store, loading().recipe, [call("train")], metrics=notes, overrides=overrides)
    for flags in ([], ["--json"]):
        assert run_command(["show", *flags]) == 0
        shown = capfd.readouterr().out
        assert "comet_api_key" in shown
        assert SECRET not in shown
        assert "in-a-variable" not in shown
    assert json.loads(shown)["overrides"] == ["recipe=mine", f"train.comet_api_key={HIDDEN}"]
