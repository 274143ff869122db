"""Experiment trackers that axolotl logs to: what each needs, how it is allowed, and where its run can be seen."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftrun.utils.atomic_io import read_json, write_json, write_text

WITHOUT_SERVER = ("offline", "disabled", "dryrun")  # values of `wandb_mode`
RECORD = "tracker.json"  # in the stage's working folder


@dataclass(frozen=True)
class Tracker:
    """One tracker: the trainer keys that turn it on, the package it comes in, and the name of its secret."""

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


def chosen(config: Mapping[str, Any]) -> Iterator[tuple[Tracker, str]]:
    """The trackers of a configuration, each with the key that turns it on."""
    for tracker in TRACKERS:
        key = next((key for key in tracker.keys if config.get(key)), None)
        if key is not None:
            yield tracker, key


def secrets_of(config: Mapping[str, Any]) -> list[str]:
    """Names of the secrets that the trackers read."""
    alone = config.get("wandb_mode") in WITHOUT_SERVER
    return sorted(
        tracker.secret for tracker, _ in chosen(config) if tracker.secret and not (tracker.package == "wandb" and alone)
    )


def allow(config: Mapping[str, Any], work: Path) -> None:
    """Trackers are off in every stage process; here those that the recipe chose are let through.

    A run that is resumed goes on in the tracker's same run, whose id is kept in the working folder.
    """
    if not any(tracker.package == "wandb" for tracker, _ in chosen(config)):
        return
    os.environ.pop("WANDB_MODE", None)
    if not config.get("wandb_run_id"):
        kept = work / "wandb_run_id"
        if not kept.exists():
            write_text(kept, secrets.token_hex(4))
        os.environ.update(WANDB_RUN_ID=kept.read_text(), WANDB_RESUME="allow")


def running_url() -> str | None:
    """Where the tracker that runs in this process shows its run."""
    wandb, comet = sys.modules.get("wandb"), sys.modules.get("comet_ml")
    run = getattr(wandb, "run", None)
    if run is not None:
        return getattr(run, "url", None)
    experiment = comet.get_running_experiment() if comet is not None else None
    return getattr(experiment, "url", None)


def keep_url(work: Path, url: str) -> None:
    """Keeps the address for whoever collects the results, which may be another process."""
    write_json(work / RECORD, {"tracker_url": url})


def kept_url(work: Path) -> dict[str, str]:
    """What `keep_url` kept, as a metric; nothing where no tracker ran."""
    return dict(read_json(work / RECORD) or {})
