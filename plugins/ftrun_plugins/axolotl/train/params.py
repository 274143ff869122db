"""Parameters of the stage `train`."""

from __future__ import annotations

from typing import Any, Literal

from ftrun.api.recipe import Frozen


class Params(Frozen):
    """The complete trainer configuration, and other values that change the result."""

    trainer: dict[str, Any]
    accelerator: Literal["cpu", "gpu"]
    processes: int
    base_model: str  # name on the hub, written into `adapter_config.json`
    revision: str | None
    trust_remote_code: bool
