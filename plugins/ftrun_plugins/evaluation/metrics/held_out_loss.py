"""Evaluator `held_out_loss`: loss on held-out rows, which the stage `loss` measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ftrun.api.rows import Options as BaseOptions


class HeldOutLoss:
    """Mean over rows of the mean loss of a row's trained tokens, in nats; lower is better."""

    name: ClassVar[str] = "held_out_loss"
    needs: ClassVar[str] = "loss"
    higher_is_better: ClassVar[bool] = False

    class Options(BaseOptions):
        """No options."""

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Raise TypeError, because losses are not scored from answers."""
        raise TypeError("losses are measured by the stage `loss`, not scored from answers")
