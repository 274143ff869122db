"""Which trackers a configuration turns on, their secrets, and the run that a resumed training continues."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ftrun_plugins.axolotl.train.trackers import (
    enable_trackers,
    find_run_url,
    load_url,
    required_secrets,
    save_url,
    select_trackers,
)


@pytest.mark.parametrize(
    ("config", "names", "secrets"),
    [
        ({}, [], []),
        ({"use_wandb": False, "wandb_project": None}, [], []),
        ({"use_wandb": True}, [("Weights & Biases", "use_wandb")], ["wandb"]),
        ({"wandb_project": "sql"}, [("Weights & Biases", "wandb_project")], ["wandb"]),
        ({"use_wandb": True, "wandb_mode": "online"}, [("Weights & Biases", "use_wandb")], ["wandb"]),
        *(
            ({"use_wandb": True, "wandb_mode": mode}, [("Weights & Biases", "use_wandb")], [])
            for mode in ("offline", "disabled", "dryrun")
        ),
        ({"use_mlflow": True}, [("MLflow", "use_mlflow")], []),
        ({"mlflow_experiment_name": "sql"}, [("MLflow", "mlflow_experiment_name")], []),
        ({"use_comet": True, "wandb_mode": "offline"}, [("Comet", "use_comet")], ["comet"]),
        ({"trackio_project_name": "sql"}, [("Trackio", "trackio_project_name")], []),
        ({"use_tensorboard": True}, [("TensorBoard", "use_tensorboard")], []),
        (
            {"use_wandb": True, "comet_project_name": "sql"},
            [("Weights & Biases", "use_wandb"), ("Comet", "comet_project_name")],
            ["comet", "wandb"],
        ),
    ],
)
def test_trackers_and_their_secrets(config: dict[str, Any], names: list[tuple[str, str]], secrets: list[str]) -> None:
    assert [(tracker.name, key) for tracker, key in select_trackers(config)] == names
    assert required_secrets(config) == secrets


@pytest.fixture
def wandb_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a stage process."""
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setenv("WANDB_RUN_ID", "none")  # so that it is restored after the test
    monkeypatch.setenv("WANDB_RESUME", "none")


@pytest.mark.usefixtures("wandb_off")
def test_a_later_try_continues_the_same_run(tmp_path: Path) -> None:
    ids = []
    for _ in range(2):
        os.environ["WANDB_MODE"] = "disabled"
        enable_trackers({"use_wandb": True}, tmp_path)
        ids.append(os.environ["WANDB_RUN_ID"])
        assert "WANDB_MODE" not in os.environ
        assert os.environ["WANDB_RESUME"] == "allow"
    assert ids[0] == ids[1]
    assert len(ids[0]) == 8


@pytest.mark.usefixtures("wandb_off")
def test_a_run_id_of_the_recipe_is_kept(tmp_path: Path) -> None:
    enable_trackers({"use_wandb": True, "wandb_run_id": "mine"}, tmp_path)
    assert "WANDB_MODE" not in os.environ
    assert (os.environ["WANDB_RUN_ID"], os.environ["WANDB_RESUME"]) == ("none", "none")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("wandb_off")
@pytest.mark.parametrize("config", [{}, {"use_mlflow": True}])
def test_wandb_stays_off_unless_it_was_chosen(config: dict[str, Any], tmp_path: Path) -> None:
    enable_trackers(config, tmp_path)
    assert os.environ["WANDB_MODE"] == "disabled"
    assert not list(tmp_path.iterdir())


WANDB = SimpleNamespace(run=SimpleNamespace(url="https://wandb.example/run"))
COMET = SimpleNamespace(get_running_experiment=lambda: SimpleNamespace(url="https://comet.example/run"))


@pytest.mark.parametrize(
    ("modules", "url"),
    [
        ({}, None),
        ({"wandb": WANDB}, "https://wandb.example/run"),
        ({"comet_ml": COMET}, "https://comet.example/run"),
        ({"wandb": SimpleNamespace(run=None), "comet_ml": COMET}, "https://comet.example/run"),
        ({"wandb": WANDB, "comet_ml": COMET}, "https://wandb.example/run"),
        ({"comet_ml": SimpleNamespace(get_running_experiment=lambda: None)}, None),
    ],
    ids=["none", "wandb", "comet", "wandb without a run", "both", "comet without a run"],
)
def test_the_url_of_the_running_tracker(
    modules: dict[str, Any], url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("wandb", "comet_ml"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        if name in modules:
            monkeypatch.setitem(sys.modules, name, modules[name])
    assert find_run_url() == url


def test_the_url_is_kept_for_another_process(tmp_path: Path) -> None:
    assert load_url(tmp_path) == {}
    save_url(tmp_path, "https://wandb.example/run")
    assert load_url(tmp_path) == {"tracker_url": "https://wandb.example/run"}
