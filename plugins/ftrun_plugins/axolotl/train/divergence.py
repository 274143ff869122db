"""Detection of the optimizer step at which training diverged, without waiting for the device at each step."""

from __future__ import annotations

from typing import Any

from ftrun.api.errors import Problem, StageError
from ftrun_plugins.axolotl.train.weight_change import trained_weights

HINT = (
    "start a new run with a lower train.learning_rate, more train.warmup_steps or a smaller train.max_grad_norm; "
    "with fp16, prefer bf16"
)


class LossWatch:
    """Record of the first optimizer step with a loss that is not finite, kept on the device of the loss.

    transformers replaces losses that are not finite by the average of the losses before, unless
    `logging_nan_inf_filter` is off. A diverged training would be logged with a loss of 0.
    """

    def __init__(self) -> None:
        self._first: Any = None  # tensor of shape (); 0 while all losses are finite

    def attach(self, trainer: Any) -> None:
        """Record the loss of each forward and backward pass of a `transformers.Trainer`."""
        training_step = trainer.training_step

        def record_loss(*args: Any, **kwargs: Any) -> Any:
            loss = training_step(*args, **kwargs)
            self.record(loss, trainer.state.global_step + 1)
            return loss

        trainer.training_step = record_loss

    def record(self, loss: Any, step: int) -> None:
        import torch

        current = torch.where(torch.isfinite(loss.detach()).all(), 0, step)
        self._first = current if self._first is None else torch.where(self._first > 0, self._first, current)

    def check(self) -> None:
        """Raise StageError with the step if a loss was not finite. Waits for the device."""
        step = 0 if self._first is None else int(self._first.item())
        if step:
            raise StageError("train", Problem("diverged", f"the loss is not a finite number at step {step}", hint=HINT))


def check_weights(model: Any, step: int) -> None:
    """Raise StageError if a trained weight is not finite. After the last step, no loss shows this."""
    import torch

    for name, weight in trained_weights(model):
        if not bool(torch.isfinite(weight).all()):
            what = f"the weights are not finite numbers after step {step} ({name})"
            raise StageError("train", Problem("diverged", what, hint=HINT))
