"""Parameters of the stage `score`."""

from __future__ import annotations

from typing import Any, Literal

from ftrun.api.recipe import Frozen

LABELS = "labels.jsonl"  # verdicts on pairs that people have labelled


class Params(Frozen):
    """Evaluation of the recipe, without its gate."""

    what: Literal["scores", "rows"] = "scores"  # `rows`: a check of the rows, without answers
    evaluator: str
    options: dict[str, Any]  # empty if another stage scored the rows, because its key contains the options
    on_bad_row: Literal["stop", "skip"] | None = None  # only for a check
