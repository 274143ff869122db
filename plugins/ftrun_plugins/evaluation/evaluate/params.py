"""Parameters of the stage `evaluate`."""

from __future__ import annotations

from ftrun.api.recipe import Frozen, Gate


class Params(Frozen):
    """Gates of the evaluations by name, in the order of the recipe."""

    evals: dict[str, Gate | None]
