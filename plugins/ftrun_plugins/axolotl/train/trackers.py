"""Experiment trackers of axolotl: their keys, packages and secrets, and the URL of a tracked run."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftrun.utils.atomic_io import read_json, write_json, write_text

WITHOUT_SERVER = ("offline", "disabled", "dryrun")  # values of `wandb_mode` that need no secret
RECORD = "tracker.json"  # in the stage's working folder
RUN_ID = "wandb_run_id"  # the same, for every attempt


@dataclass(frozen=True)
class Tracker:
    """Tracker with the trainer keys that enable it, its Python package, and the name of its secret."""

    name: str
    keys: tuple[str, ...]
    package: str
    secret: str | None = None


TRACKERS = (
    Tracker("Weights & Biases", ("use_wandb", "wandb_project"), "wandb", "wandb"),
    Tracker("MLflow", ("use_mlflow", "mlflow_experiment_name"), "mlflow", None),
    Tracker("Comet", ("use_comet", "comet_project_name"), "comet-ml", "comet"),
    Tracker("Trackio", ("use_trackio", "trackio_project_name"), "trackio", None),
    Tracker("TensorBoard", ("use_tensorboard",), "tensorboard", None),
)


def select_trackers(config: Mapping[str, Any]) -> Iterator[tuple[Tracker, str]]:
    """Yield the trackers of a configuration, each with the key that enables it."""
    for tracker in TRACKERS:
        key = next((key for key in tracker.keys if config.get(key)), None)
        if key is not None:
            yield tracker, key


def required_secrets(config: Mapping[str, Any]) -> list[str]:
    """Return the names of the secrets that the trackers of a configuration read."""
    without_server = config.get("wandb_mode") in WITHOUT_SERVER
    found = [
        tracker.secret
        for tracker, _ in select_trackers(config)
        if tracker.secret and not (tracker.package == "wandb" and without_server)
    ]
    return sorted([*found, "swanlab"] if config.get("use_swanlab") else found)


def enable_trackers(config: Mapping[str, Any], work: Path) -> None:
    """Enable the trackers of a configuration. By default, trackers are disabled in stage processes.

    A resumed training continues the same run of the tracker. The working folder keeps the id of that run.
    """
    if not any(tracker.package == "wandb" for tracker, _ in select_trackers(config)):
        return
    os.environ.pop("WANDB_MODE", None)
    if not config.get("wandb_run_id"):
        file = work / RUN_ID
        if not file.exists():
            write_text(file, secrets.token_hex(4))
        os.environ.update(WANDB_RUN_ID=file.read_text(), WANDB_RESUME="allow")


def find_run_url() -> str | None:
    """Return the URL of the tracked run in this process, or None."""
    wandb, comet = sys.modules.get("wandb"), sys.modules.get("comet_ml")
    run = getattr(wandb, "run", None)
    if run is not None:
        return getattr(run, "url", None)
    experiment = comet.get_running_experiment() if comet is not None else None
    return getattr(experiment, "url", None)


def save_url(work: Path, url: str) -> None:
    """Save the URL for the process that collects the results."""
    write_json(work / RECORD, {"tracker_url": url})


def load_url(work: Path) -> dict[str, str]:
    """Return the URL from `save_url` as a metric, or an empty dict if there is none."""
    return dict(read_json(work / RECORD) or {})
