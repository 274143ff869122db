"""Find the optimizer step at which training diverged, without waiting for the device at each step."""

from __future__ import annotations

from typing import Any

from ftrun.api.errors import Problem, StageError

HINT = (
    "start a new run with a lower train.learning_rate, more train.warmup_steps or a smaller train.max_grad_norm; "
    "with fp16, prefer bf16"
)


class LossWatch:
    """Remembers the first optimizer step with a loss that is not finite, on the loss's own device.

    transformers replaces such losses by the average of those before, unless `logging_nan_inf_filter` is off: a
    diverged training would be logged with a loss of 0.
    """

    def __init__(self) -> None:
        self._first: Any = None  # tensor of shape (); 0 while all losses are finite

    def attach(self, trainer: Any) -> None:
        """Note the loss of each forward and backward pass of a `transformers.Trainer`."""
        training_step = trainer.training_step

        def watched(*args: Any, **kwargs: Any) -> Any:
            loss = training_step(*args, **kwargs)
            self.note(loss, trainer.state.global_step + 1)
            return loss

        trainer.training_step = watched

    def note(self, loss: Any, step: int) -> None:
        import torch

        now = torch.where(torch.isfinite(loss.detach()).all(), 0, step)
        self._first = now if self._first is None else torch.where(self._first > 0, self._first, now)

    def check(self) -> None:
        """Raise `StageError` with the step if a loss was not finite. Waits for the device."""
        step = 0 if self._first is None else int(self._first.item())
        if step:
            raise StageError("train", Problem("diverged", f"the loss is not a finite number at step {step}", hint=HINT))


def check_weights(model: Any, step: int) -> None:
    """Raise `StageError` if a trained weight is not finite: the last step has no loss after it that would tell."""
    import torch

    for name, weight in model.named_parameters():
        shard = getattr(weight, "ds_tensor", weight)  # ZeRO 3 keeps a shard there
        if weight.requires_grad and not bool(torch.isfinite(shard).all()):
            what = f"the weights are not finite numbers after step {step} ({name})"
            raise StageError("train", Problem("diverged", what, hint=HINT))
