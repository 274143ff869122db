"""Axolotl's training inside the current process: the stage's own, or that of one rank."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from ftrun.api.context import Stopped
from ftrun.api.errors import Problem, StageError
from ftrun_plugins.axolotl.train import trackers
from ftrun_plugins.axolotl.workspace import chdir_offline

if TYPE_CHECKING:
    from ftrun.api.context import Reporter, StopRequest

# axolotl's command line sets this for CUDA, but ftrun does not use that command line. Without it, packs of changing
# lengths leave gaps in GPU memory: Llama 3.1 8B with LoRA and evaluations needs 57.9 GiB on an H100, with it 46.9 GiB.
ALLOCATOR = ("PYTORCH_ALLOC_CONF", "expandable_segments:True")


def train_in_process(work: Path, report: Reporter | None, stop: StopRequest) -> None:
    """Run axolotl's training in this process, so that torch is imported only once.

    Raises:
        Stopped: If a stop was requested. A checkpoint is written first.
        StageError: If training did not start, did no optimizer step, or diverged.
    """
    os.environ.setdefault(*ALLOCATOR)  # before torch is imported
    with chdir_offline(work):
        from axolotl.cli.train import do_cli

        from ftrun_plugins.axolotl.train.callbacks import CallbackState, set_state

        state = CallbackState(report, stop)
        set_state(state)
        config = yaml.safe_load((work / "config.yml").read_text())
        _set_seed(int(config["seed"]))
        trackers.enable_trackers(config, work)
        do_cli(config="config.yml")
        if state.stopped:
            raise Stopped
        if not state.started:
            raise StageError(
                "train",
                Problem(
                    "not-trained",
                    "the trainer ended before training started",
                    hint="see its log; axolotl may have failed to load ftrun's plugin",
                ),
            )


def _set_seed(seed: int) -> None:
    """Set the random seed before axolotl does.

    axolotl packs rows to count the steps before it sets the seed. Without this, a recipe had sometimes 88 and sometimes
    90 steps.
    """
    from transformers import set_seed

    set_seed(seed)
