"""Parameters of the stage `score`."""

from __future__ import annotations

from typing import Any

from ftrun.api.recipe import Frozen


class Params(Frozen):
    """Evaluation of the recipe, without its gate."""

    evaluator: str
    options: dict[str, Any]  # empty if another stage scored the rows, because its key contains the options
