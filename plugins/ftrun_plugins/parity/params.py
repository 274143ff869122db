"""Parameters of the stage `parity`."""

from __future__ import annotations

from typing import Literal

from ftrun.api.recipe import Frozen, TemplateVariables


class Params(Frozen):
    """Subject and options of the comparison."""

    what: Literal["prompts", "weights"]
    engine: bool = False  # true if the tokens of the engine are compared too
    untrained_end_of_turn: bool = False
    trust_remote_code: bool
    template: TemplateVariables = {}
