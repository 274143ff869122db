"""Training with axolotl in this process, or in one process per rank, and collection of the result."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import SPLITS
from ftrun.api.checkpoints import last_step
from ftrun_plugins.axolotl.train import trackers
from ftrun_plugins.axolotl.train.process import train_in_process
from ftrun_plugins.axolotl.train.trainer_config import complete_config
from ftrun_plugins.axolotl.workspace import CONFIG, DATA, DEEPSPEED, MODEL, OUT, write_workspace

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.axolotl.train.params import Params

IGNORED_FILES = ("checkpoint-*", "debug.log", "README.md", "merged", "training_args.bin", "*.lock")


class TrainWorker:
    """Execution of one call of the stage `train`."""

    def __init__(self, params: Params, context: StageContext) -> None:
        self._params = params
        self._context = context
        self._out = context.work / OUT

    def run(self) -> None:
        """Train to the end.

        Raises:
            Stopped: If a stop was requested. A checkpoint of the current step is written first.
            StageError: If training failed.
        """
        step = last_step(self._out)
        if step is not None:
            self._context.report.event("resumed", step=step)
        write_workspace(
            self._context.work,
            complete_config(
                self._params, [split for split in SPLITS if (self._context.inputs["data"] / split).is_dir()]
            ),
            {MODEL: self._context.inputs["model"], DATA: self._context.inputs["data"]},
        )
        if self._params.processes == 1:
            train_in_process(self._context.work, self._context.report, self._context.stop)
        else:
            from ftrun_plugins.axolotl.train.distributed import train_in_ranks

            train_in_ranks(self._params.processes, self._params.accelerator, self._context)
        self._collect()

    def _collect(self) -> None:
        """Copy the result without checkpoints, and set the base model to its name on the hub."""
        ignored = IGNORED_FILES if self._params.trainer.get("use_tensorboard") else (*IGNORED_FILES, "runs")
        shutil.copytree(self._out, self._context.output, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*ignored))
        shutil.copy(self._context.work / CONFIG, self._context.output / "axolotl.yml")
        if (self._context.work / DEEPSPEED).exists():
            shutil.copy(self._context.work / DEEPSPEED, self._context.output / DEEPSPEED)
        adapter = self._context.output / "adapter_config.json"
        if adapter.exists():
            config = json.loads(adapter.read_text())
            config.update(base_model_name_or_path=self._params.base_model, revision=self._params.revision)
            adapter.write_text(json.dumps(config, indent=2, sort_keys=True))
        history = _read_history(self._out)
        (self._context.output / "history.json").write_text(json.dumps(history, indent=1))
        losses = {name: [entry[name] for entry in history if name in entry] for name in ("loss", "eval_loss")}
        self._context.report.metric(
            **{f"last_{name}": round(float(values[-1]), 6) for name, values in losses.items() if values}
        )
        self._context.report.metric(**trackers.load_url(self._context.work))


def _read_history(out: Path) -> list[dict[str, Any]]:
    """Return the trainer's log from the last checkpoint: one entry per logged step, with losses."""
    states = sorted(
        out.glob("checkpoint-*/trainer_state.json"), key=lambda path: int(path.parent.name.rpartition("-")[2])
    )
    if not states:
        return []
    history: list[dict[str, Any]] = json.loads(states[-1].read_text())["log_history"]
    return history
