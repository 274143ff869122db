"""Runs axolotl's training in this process, or in one process a rank, and collects what it made."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ftrun.api.checkpoints import last_step, remove_unfinished, remove_unmarked
from ftrun.api.context import Stopped
from ftrun.api.errors import Problem, StageError
from ftrun_plugins.axolotl.train import trackers
from ftrun_plugins.axolotl.workspace import DATA, MODEL, OUT, PREPARED, chdir_offline, write_workspace

if TYPE_CHECKING:
    from ftrun.api.context import Reporter, StageContext, StopRequest
    from ftrun_plugins.axolotl.train.params import Params

PLUGIN = "ftrun_plugins.axolotl.train.callbacks.ProgressPlugin"
# What axolotl's command line, which is not used here, sets for CUDA: without it packs of changing lengths leave gaps in
# the memory of a GPU, up to 11 GiB (Llama 3.1 8B by LoRA on an H100: 57.9 GiB with an evaluation, 46.9 GiB with it).
ALLOCATOR = ("PYTORCH_ALLOC_CONF", "expandable_segments:True")
LEFT_BEHIND = ("checkpoint-*", "debug.log", "README.md", "merged", "training_args.bin", "*.lock")


class TrainWorker:
    """One call of `train`."""

    def __init__(self, params: Params, context: StageContext) -> None:
        self._params = params
        self._context = context
        self._out = context.work / OUT

    def run(self) -> None:
        """Trains to the end, or raises `Stopped` once a checkpoint of the present step is written."""
        removed = remove_unfinished(self._out)
        if removed:
            self._context.report.warning(f"removed unfinished checkpoints: steps {removed}")
        if remove_unmarked(self._context.work / PREPARED):
            self._context.report.warning("removed prepared rows that an earlier try left unfinished")
        step = last_step(self._out)
        if step is not None:
            self._context.report.event("resumed", step=step)
        write_workspace(
            self._context.work,
            self._config(),
            {MODEL: self._context.inputs["model"], DATA: self._context.inputs["data"]},
        )
        if self._params.processes == 1:
            train_here(self._context.work, self._context.report, self._context.stop)
        else:
            from ftrun_plugins.axolotl.train.distributed import train_in_ranks

            train_in_ranks(self._params.processes, self._params.accelerator, self._context)
        self._collect()

    def _config(self) -> dict[str, Any]:
        trainer = dict(self._params.trainer)
        splits = {"datasets": "train", "test_datasets": "held_out"}
        entries = {
            key: [{"path": f"{DATA}/{split}", "type": None, "split": "train"}]
            for key, split in splits.items()
            if (self._context.inputs["data"] / split).is_dir()
        }
        return {
            "logging_nan_inf_filter": False,  # it replaces the loss of a diverged training; `divergence` stops that
            **trainer,
            **entries,
            "dataset_prepared_path": PREPARED,
            "trust_remote_code": self._params.trust_remote_code,
            "val_set_size": 0,
            "plugins": [*trainer.get("plugins", []), PLUGIN],
        }

    def _collect(self) -> None:
        """Copies the result, without checkpoints, and names the base model as the hub does."""
        left = LEFT_BEHIND if self._params.trainer.get("use_tensorboard") else (*LEFT_BEHIND, "runs")
        shutil.copytree(self._out, self._context.output, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*left))
        shutil.copy(self._context.work / "config.yml", self._context.output / "axolotl.yml")
        adapter = self._context.output / "adapter_config.json"
        if adapter.exists():
            config = json.loads(adapter.read_text())
            config.update(base_model_name_or_path=self._params.base_model, revision=self._params.revision)
            adapter.write_text(json.dumps(config, indent=2, sort_keys=True))
        history = _history(self._out)
        (self._context.output / "history.json").write_text(json.dumps(history, indent=1))
        losses = {name: [entry[name] for entry in history if name in entry] for name in ("loss", "eval_loss")}
        self._context.report.metric(
            **{f"last_{name}": round(float(found[-1]), 6) for name, found in losses.items() if found}
        )
        self._context.report.metric(**trackers.kept_url(self._context.work))


def train_here(work: Path, report: Reporter | None, stop: StopRequest) -> None:
    """Axolotl's training in this process: nothing imports torch a second time.

    Raises:
        Stopped: the user asked to stop, and a checkpoint is written.
        StageError: training did not begin, did no optimizer step, or diverged.
    """
    os.environ.setdefault(*ALLOCATOR)  # before torch is imported
    with chdir_offline(work):
        from axolotl.cli.train import do_cli

        from ftrun_plugins.axolotl.train.callbacks import Connection, connect

        connection = Connection(report, stop)
        connect(connection)
        config = yaml.safe_load((work / "config.yml").read_text())
        _seed(int(config["seed"]))
        trackers.allow(config, work)
        do_cli(config="config.yml")
        if connection.stopped:
            raise Stopped
        if not connection.began:
            raise StageError(
                "train",
                Problem(
                    "not-trained",
                    "the trainer ended without beginning to train",
                    hint="read its log; ftrun's plugin may not have been loaded",
                ),
            )


def _seed(seed: int) -> None:
    """Axolotl packs once to count the steps before it seeds anything: unseeded, one recipe has 88 steps or 90."""
    from transformers import set_seed

    set_seed(seed)


def _history(out: Path) -> list[dict[str, Any]]:
    """The trainer's own log of the last checkpoint: steps with losses."""
    states = sorted(
        out.glob("checkpoint-*/trainer_state.json"), key=lambda path: int(path.parent.name.rpartition("-")[2])
    )
    if not states:
        return []
    history: list[dict[str, Any]] = json.loads(states[-1].read_text())["log_history"]
    return history
