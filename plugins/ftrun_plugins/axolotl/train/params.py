"""Parameters of the stage `train`."""

from __future__ import annotations

from typing import Any, Literal

from ftrun.api.recipe import Frozen


class Params(Frozen):
    """The whole trainer configuration as it will run, and what else changes its result."""

    trainer: dict[str, Any]
    accelerator: Literal["cpu", "gpu"]
    processes: int
    base_model: str  # the hub's name, for the adapter's own record
    revision: str | None
    trust_remote_code: bool
