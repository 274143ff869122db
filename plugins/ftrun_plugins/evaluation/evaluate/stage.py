"""Stage `evaluate`: compares the scores of the base and the tuned model, and checks the gates.

evaluation.json   by evaluation: both means, the difference with its interval, the verdict, the gate
samples.jsonl     rows for which the scores of the two models differ, with both answers
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
    """Stage that compares scores. It runs in the environment of the client, because it needs no other packages."""

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
