"""End of a training that continues from the checkpoint of its last step."""

from __future__ import annotations

from typing import Any


def stop_after_last_step(trainer: Any) -> None:
    """Make a `transformers.Trainer` do nothing if it resumes at or after its last step.

    transformers checks the number of steps only after a step. If the last step is not the end of an epoch, a trainer
    that resumes there does one step too many, and its weights differ from those of a training without a kill.
    """
    run_epoch = trainer._run_epoch

    def run_missing_steps(*args: Any, **kwargs: Any) -> Any:
        if trainer.state.global_step >= trainer.state.max_steps:
            trainer.control.should_training_stop = True
            return None
        return run_epoch(*args, **kwargs)

    trainer._run_epoch = run_missing_steps
