"""A secret in a recipe or an override is refused before it is recorded, and no output shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ftrun.api.paths import RunFolder, Store
from ftrun.api.redaction import HIDDEN
from ftrun.cli.main import run_command
from ftrun.recipe.load import Loaded
from ftrun.store import runs
from helpers.ended_runs import call, ended_run, with_train

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


@pytest.fixture
def old_run(store: Store, loading: Loading, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run that an older version recorded with secrets in all its files."""
    monkeypatch.setenv("HF_TOKEN", "in-a-variable")
    trained = call("train", trainer={"comet_api_key": SECRET, "hub_token": TOKEN})
    recipe = with_train(loading().recipe, comet_api_key=SECRET)
    run = ended_run(store, recipe, [trained])
    record = json.loads(run.record.read_text())
    record["overrides"] = ["recipe=quickstart", f"train.comet_api_key={SECRET}"]
    record["origins"] = {"train.comet_api_key": f"override train.comet_api_key={SECRET}"}
    record["facts"]["command"] = ["run", f"train.comet_api_key={SECRET}"]
    record["results"]["train"]["metrics"] = {"notes": ["in-a-variable"]}
    record["problems"] = [{"code": "stage-error", "what": "401 for in-a-variable"}]
    run.record.write_text(json.dumps(record))
    run.events.write_text(json.dumps({"at": 1, "kind": "warning", "call": "train", "text": "in-a-variable"}) + "\n")
    run.log("train").write_text(f"api_key={SECRET}\nin-a-variable\n")
    return run


@pytest.mark.parametrize(
    "verb",
    [
        ["show"],
        ["show", "--json"],
        ["runs"],
        ["runs", "--json"],
        ["logs"],
        ["logs", "-f"],
        ["plan", "--no-check", "recipe=quickstart"],
        ["plan", "--no-check", "--json", "recipe=quickstart"],
        ["rerun", "--plan", "last"],
        ["rerun", "--plan", "--json", "last"],
        ["report", "-o", "report.html"],
    ],
    ids=" ".join,
)
def test_a_secret_that_an_older_version_recorded_is_hidden(
    verb: list[str], old_run: RunFolder, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_command(verb)
    shown = "".join(capfd.readouterr())
    page = folder / "report.html"
    shown += page.read_text() if page.exists() else ""
    assert shown
    for secret in (SECRET, TOKEN, "in-a-variable"):
        assert secret not in shown
    if verb == ["show", "--json"]:
        assert json.loads(shown)["overrides"] == ["recipe=quickstart", f"train.comet_api_key={HIDDEN}"]


def test_a_record_that_is_saved_again_has_no_secret(old_run: RunFolder) -> None:
    runs.save(old_run, runs.load(old_run))
    for secret in (SECRET, TOKEN, "in-a-variable"):
        assert secret not in old_run.record.read_text()
