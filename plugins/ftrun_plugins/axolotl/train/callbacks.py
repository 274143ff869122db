"""axolotl plugin that reports steps as events, marks complete checkpoints, and stops training on request.

It runs inside the trainer. axolotl creates the plugin itself, so `set_state` provides its state.
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
from ftrun_plugins.axolotl.train.last_step import stop_after_last_step
from ftrun_plugins.axolotl.train.trackers import find_run_url, save_url
from ftrun_plugins.axolotl.train.weight_change import changed_weights, check_change, save_start
from ftrun_plugins.axolotl.workspace import PREPARED

if TYPE_CHECKING:
    from ftrun.api.context import Reporter, StopRequest

REPORTED = {
    "loss": "loss",
    "eval_loss": "eval_loss",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
    "tokens/train_per_sec_per_gpu": "tokens_per_second",
    "memory/max_active (GiB)": "gpu_memory_gib",
}


@dataclass
class CallbackState:
    """State that the callback shares with the stage. `report` is None in all processes but the first."""

    report: Reporter | None
    stop: StopRequest
    started: bool = False
    stopped: bool = False


_state: CallbackState | None = None


def set_state(state: CallbackState) -> None:
    """Set the state of the plugin in this process. Must be called before axolotl starts."""
    global _state
    _state = state


class ProgressCallback(TrainerCallback):  # type: ignore[misc]
    """Callback that reports from the first process, and stops all processes at the same step."""

    def __init__(self, shared: CallbackState, losses: LossWatch) -> None:
        self._shared = shared
        self._losses = losses

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        self._shared.started = True
        if model is not None and state.global_step == 0:
            save_start(model)
        if state.is_world_process_zero:
            mark(Path(PREPARED))  # axolotl works in this folder and has loaded these rows
        self._report_progress(state)
        url = find_run_url() if state.is_world_process_zero else None
        if url and self._shared.report:
            save_url(Path.cwd(), url)
            self._shared.report.event("tracker", url=url)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        last = state.global_step >= state.max_steps
        if control.should_log or control.should_save or control.should_evaluate or last:
            self._losses.check()  # before a diverged model is logged, saved or evaluated
        if _any_process(bool(self._shared.stop)):
            self._shared.stopped = True
            control.should_save = True
            control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        values = {REPORTED[key]: _round(value) for key, value in (logs or {}).items() if key in REPORTED and value}
        if values:
            self._report_progress(state, epoch=round(state.epoch or 0.0, 3), **values)

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        _check_steps(state.global_step)
        if model is not None:
            check_weights(model, state.global_step)
            if not self._shared.stopped:
                check_change(_any_process(changed_weights(model)), state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        _wait_for_all()
        if state.is_world_process_zero:
            mark(Path(args.output_dir) / f"{PREFIX}{state.global_step}")
            if self._shared.report:
                self._shared.report.event("checkpoint", step=state.global_step)

    def _report_progress(self, state: Any, **values: Any) -> None:
        if self._shared.report and state.is_world_process_zero:
            self._shared.report.progress(state.global_step, state.max_steps, "steps", **values)


def _check_steps(steps: int) -> None:
    """Raise StageError if there was no optimizer step. `steps` includes those before a resume."""
    if steps == 0:
        raise StageError(
            "train",
            Problem(
                "not-trained",
                "training ended without an optimizer step, so the model is not trained",
                expected="rows or packs for at least one full batch",
                hint="use more rows, or a smaller train.micro_batch_size",
            ),
        )


def _round(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value


def _wait_for_all() -> None:
    """Wait for all processes. Each process writes its own part of a checkpoint."""
    import torch

    if _is_distributed():
        torch.distributed.barrier()


def _is_distributed() -> bool:
    import torch

    return bool(torch.distributed.is_available() and torch.distributed.is_initialized())


def _any_process(flag: bool) -> bool:
    """Return whether the flag is set in any process. All processes must stop at the same step."""
    import torch

    if not _is_distributed():
        return flag
    device = "cuda" if torch.cuda.is_available() else "cpu"
    maximum = torch.tensor([int(flag)], device=device)
    torch.distributed.all_reduce(maximum, op=torch.distributed.ReduceOp.MAX)
    return bool(maximum.item())


class ProgressPlugin(BasePlugin):  # type: ignore[misc]
    """Plugin for the key `plugins` of the configuration. If its import fails, axolotl only logs it and continues."""

    def add_callbacks_post_trainer(self, cfg: Any, trainer: Any) -> list[Any]:
        if _state is None:
            return []
        losses = LossWatch()
        losses.attach(trainer)
        stop_after_last_step(trainer)
        return [ProgressCallback(_state, losses)]
