"""Parameters of the stage `loss`."""

from __future__ import annotations

from typing import Literal

from ftrun.api.recipe import Frozen


class Params(Frozen):
    """What the loss depends on besides model and rows."""

    rows: int | None
    accelerator: Literal["cpu", "gpu"]
    trust_remote_code: bool
