"""An axolotl plugin: the trainer's steps become events, checkpoints get their marks, a wish to stop is heard.

Runs inside the trainer. What it needs is set by `connect`, for axolotl makes the plugin itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axolotl.integrations.base import BasePlugin
from transformers import TrainerCallback

from ftrun.api.checkpoints import PREFIX, mark
from ftrun.api.errors import Problem, StageError
from ftrun_plugins.axolotl.train.divergence import LossWatch, check_weights
from ftrun_plugins.axolotl.train.trackers import keep_url, running_url
from ftrun_plugins.axolotl.workspace import PREPARED

if TYPE_CHECKING:
    from ftrun.api.context import Reporter, StopRequest

SHOWN = {
    "loss": "loss",
    "eval_loss": "eval_loss",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
    "tokens/train_per_sec_per_gpu": "tokens_per_second",
    "memory/max_active (GiB)": "gpu_memory_gib",
}


@dataclass
class Connection:
    """What the plugin tells to, and what it has seen."""

    report: Reporter | None
    stop: StopRequest
    began: bool = False
    stopped: bool = False


_connection: Connection | None = None


def connect(connection: Connection) -> None:
    """Called before axolotl starts, in each process."""
    global _connection
    _connection = connection


class ProgressCallback(TrainerCallback):  # type: ignore[misc]
    """Speaks for the first process; every process hears the wish to stop at the same step."""

    def __init__(self, connection: Connection, losses: LossWatch) -> None:
        self._connection = connection
        self._losses = losses

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._connection.began = True
        if state.is_world_process_zero:
            mark(Path(PREPARED))  # axolotl runs inside the working folder, and has loaded its rows
        self._tell(state)
        url = running_url() if state.is_world_process_zero else None
        if url and self._connection.report:
            keep_url(Path.cwd(), url)
            self._connection.report.event("tracker", url=url)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        last = state.global_step >= state.max_steps
        if control.should_log or control.should_save or control.should_evaluate or last:
            self._losses.check()  # before anything is logged, saved or measured of a model that diverged
        if _agreed(bool(self._connection.stop)):
            self._connection.stopped = True
            control.should_save = True
            control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        values = {SHOWN[key]: _number(value) for key, value in (logs or {}).items() if key in SHOWN and value}
        if values:
            self._tell(state, epoch=round(state.epoch or 0.0, 3), **values)

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        _check_steps(state.global_step)
        if model is not None:
            check_weights(model, state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        _wait_for_all()
        if state.is_world_process_zero:
            mark(Path(args.output_dir) / f"{PREFIX}{state.global_step}")
            if self._connection.report:
                self._connection.report.event("checkpoint", step=state.global_step)

    def _tell(self, state: Any, **values: Any) -> None:
        if self._connection.report and state.is_world_process_zero:
            self._connection.report.progress(state.global_step, state.max_steps, "steps", **values)


def _check_steps(steps: int) -> None:
    """Raise `StageError` if there was no optimizer step, those before a resume included: the model is not trained."""
    if steps == 0:
        raise StageError(
            "train",
            Problem(
                "not-trained",
                "the training ended without an optimizer step, so the model is not trained",
                expected="rows or packs for at least one whole batch",
                hint="give more rows, or lower train.micro_batch_size",
            ),
        )


def _number(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value


def _wait_for_all() -> None:
    """Every process writes its own part of a checkpoint; it is whole when the last of them has."""
    import torch

    if _several():
        torch.distributed.barrier()


def _several() -> bool:
    import torch

    return bool(torch.distributed.is_available() and torch.distributed.is_initialized())


def _agreed(wish: bool) -> bool:
    """Whether any process wants to stop: all have to leave the loop at the same step."""
    import torch

    if not _several():
        return wish
    device = "cuda" if torch.cuda.is_available() else "cpu"
    flag = torch.tensor([int(wish)], device=device)
    torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
    return bool(flag.item())


class ProgressPlugin(BasePlugin):  # type: ignore[misc]
    """Named in the configuration's `plugins`; axolotl only logs a plugin that it cannot import."""

    def add_callbacks_post_trainer(self, cfg: Any, trainer: Any) -> list[Any]:
        if _connection is None:
            return []
        losses = LossWatch()
        losses.attach(trainer)
        return [ProgressCallback(_connection, losses)]
