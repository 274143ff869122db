"""Parameters of the stage `loss`."""

from __future__ import annotations

from typing import Literal

from ftrun.api.recipe import Frozen


class Params(Frozen):
    """Parameters that change the losses, besides the model and the data."""

    rows: int | None
    seed: int | None = None  # of the sample, if `rows` is set
    accelerator: Literal["cpu", "gpu"]
    trust_remote_code: bool
