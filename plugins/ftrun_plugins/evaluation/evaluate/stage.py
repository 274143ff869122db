"""The stage `evaluate`: the base and the tuned model compared by their scores, gates, and what differs.

evaluation.json   by evaluation: both means, the difference with its interval, the verdict, the gate
samples.jsonl     rows on which the two models score differently, with both answers
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from ftrun.api.planner import CallRequest
from ftrun_plugins.evaluation.evaluate.params import Params

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall


class Evaluate:
    """Needs no more than the client has: the costly parts are calls of their own."""

    name: ClassVar[str] = "evaluate"
    version: ClassVar[int] = 2
    environment: ClassVar[str] = "client"

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        scored = {name: planner.find(f"score:{name}") for name in recipe.evals}
        inputs = {name: call for name, call in scored.items() if call is not None}
        if not inputs:
            return []
        return [
            planner.call(
                self, CallRequest(Params(evals={name: recipe.evals[name].gate for name in inputs}), inputs=inputs)
            )
        ]

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.evaluation.evaluate.worker import evaluate

        evaluate(Params.model_validate(call.params), context)
