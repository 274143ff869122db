"""Parameters of the stage `parity`."""

from __future__ import annotations

from typing import Literal

from ftrun.api.recipe import Frozen


class Params(Frozen):
    """What is compared."""

    what: Literal["prompts", "weights"]
    engine: bool = False  # whether the engine tokenizes as well
    untrained_end_of_turn: bool = False
    trust_remote_code: bool
