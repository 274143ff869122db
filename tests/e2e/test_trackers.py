"""Trackers of axolotl: the real client of Weights & Biases against a server here, and TensorBoard's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.wandb_server import wandb_server
from helpers.workplace import Workplace, read_json, tiny_recipe

pytestmark = pytest.mark.e2e

SECRET = "0123456789abcdef" * 2 + "01234567"  # as long as theirs


@pytest.mark.slow
def test_a_trackers_run_gets_the_losses_and_its_address_is_in_the_record(
    ready_to_train: Workplace, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workplace = ready_to_train
    tracked = {"max_steps": 3, "save_steps": 3, "wandb_project": "tiny", "use_tensorboard": True}
    tiny_recipe(workplace.folder, tiny, train=tracked, stages=["fetch", "format", "tokenize", "train"])
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    refused = workplace.run("recipe=tiny.yaml", expected=2)
    assert "needs the secret `wandb`" in refused.err
    with wandb_server() as server:
        monkeypatch.setenv("WANDB_API_KEY", SECRET)
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        ended = workplace.run("recipe=tiny.yaml")
        ((run, project),) = server.runs.items()
        assert project == "tiny"
        address = f"{server.url}/team/tiny/runs/{run}"
        assert len([line for line in server.history if "train/loss" in line]) >= 3
    assert f"is logged at {address}" in ended.err
    assert read_json(workplace.runs()[-1] / "run.json")["results"]["train"]["metrics"]["tracker_url"] == address
    assert list(workplace.artifact("train").glob("runs/**/events.out.tfevents.*"))
    kept = [path for path in workplace.store.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert kept == []
