"""The stage `score`: one evaluation's score of each held-out row, for the base and the tuned model.

scores.jsonl   by row: index and place, and for each model its score, the reason, the answer; a verdict on a pair
score.json     what the scores mean: the evaluator's name, and whether more is better
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.planner import CallRequest
from ftrun.api.serving_spec import BASE, TUNED
from ftrun_plugins.evaluation.candidates import ANSWERS
from ftrun_plugins.evaluation.score.params import Params

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall

ROLES = (BASE, TUNED)
EVALUATOR = "evaluator"  # role of the component


class Score:
    """Each evaluation is a call of its own, in its evaluator's environment: adding one leaves the others cached."""

    name: ClassVar[str] = "score"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "client"
    other_environments: ClassVar[tuple[str, ...]] = ("server_cpu",)

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        return [call for name in recipe.evals for call in self._calls(name, recipe, planner)]

    def _calls(self, name: str, recipe: Recipe, planner: Planner) -> Iterator[StageCall]:
        evaluation = recipe.evals[name]
        evaluator = planner.registered("evaluator", evaluation.evaluator)
        found = {role: planner.find(_measured(name, evaluator.needs, role)) for role in ROLES}
        inputs = {role: call for role, call in found.items() if call is not None}
        data = planner.find("format")
        if not inputs:
            return
        if evaluator.needs == "pairs" and TUNED not in inputs:
            what = f"{evaluator.name} compares two models, and the recipe trains none"
            raise InvalidInput(Problem("unsupported-evaluation", what, f"evals.{name}", hint="leave it out"))
        judges = evaluator.needs in ANSWERS
        if judges and data is not None:
            inputs["data"] = data
        yield planner.call(
            self,
            CallRequest(
                Params(evaluator=evaluation.evaluator, options=evaluation.options if judges else {}),
                label=f"{self.name}:{name}",
                inputs=inputs,
                environment=getattr(evaluator, "environment", self.environment),
                components={EVALUATOR: planner.component("evaluator", evaluation.evaluator)},
                optional_secrets=getattr(evaluator, "optional_secrets", ()),
            ),
        )

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.evaluation.score.worker import score_rows

        score_rows(call, Params.model_validate(call.params), context)


def _measured(name: str, needs: str, role: str) -> str:
    """Label of the call that gives an evaluation what it works on."""
    if needs in ANSWERS:
        return f"generate:{role}"
    return f"loss:{role}" if needs == "loss" else f"{needs}:{name}:{role}"
