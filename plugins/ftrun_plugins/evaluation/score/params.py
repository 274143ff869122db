"""Parameters of the stage `score`."""

from __future__ import annotations

from typing import Any

from ftrun.api.recipe import Frozen


class Params(Frozen):
    """One evaluation of the recipe; its gate is no part of it."""

    evaluator: str
    options: dict[str, Any]  # none where a stage has measured the rows: they are in its own key
