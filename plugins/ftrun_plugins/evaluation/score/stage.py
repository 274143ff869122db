"""Stage `score`: scores of the held-out rows in one evaluation, for the base and the tuned model.

scores.jsonl   by row: index and place; for each model its score (null if the row cannot be scored), reason and answer,
               and `cut` if the maximum length ended the answer; for a pair also a verdict
score.json     description of the scores: name of the evaluator, and whether higher scores are better
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from ftrun.api.artifacts import Scores
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.planner import CallRequest
from ftrun.api.serving_spec import TUNED
from ftrun_plugins.evaluation.candidates import ANSWERS
from ftrun_plugins.evaluation.score.options import plan_options
from ftrun_plugins.evaluation.score.params import LABELS, Params
from ftrun_plugins.evaluation.score.summary import ROLES

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall

EVALUATOR = "evaluator"  # role of the component


class Score:
    """Stage with one call per evaluation, so that a new evaluation does not repeat the others.

    If the evaluator can check rows, another call does so. It needs no answers, and runs before or beside the training.
    """

    name: ClassVar[str] = "score"
    version: ClassVar[int] = 2
    environment: ClassVar[str] = "client"
    other_environments: ClassVar[tuple[str, ...]] = ("server_cpu",)
    resumable: ClassVar[tuple[str, ...]] = (Scores.ROWS, LABELS)

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        names = recipe.evals
        checks = [call for name in names for call in self._plan_row_check(name, recipe, planner)]
        return [*checks, *(call for name in names for call in self._plan_scores(name, recipe, planner))]

    def _plan_row_check(self, name: str, recipe: Recipe, planner: Planner) -> Iterator[StageCall]:
        evaluation = recipe.evals[name]
        evaluator = planner.registered("evaluator", evaluation.evaluator)
        data = planner.find("format")
        if data is None or planner.find("train") is None or not hasattr(evaluator, "check_row"):
            return
        options, files = plan_options(evaluator, evaluation.options, planner)
        params = Params(
            what="rows",
            evaluator=evaluation.evaluator,
            options=options,
            on_bad_row=recipe.dataset.on_bad_row,
        )
        yield planner.call(
            self,
            CallRequest(
                params,
                label=f"{self.name}:{name}:rows",
                inputs={"data": data},
                files=files,
                environment=getattr(evaluator, "environment", self.environment),
                components={EVALUATOR: planner.component("evaluator", evaluation.evaluator)},
            ),
        )

    def _plan_scores(self, name: str, recipe: Recipe, planner: Planner) -> Iterator[StageCall]:
        evaluation = recipe.evals[name]
        evaluator = planner.registered("evaluator", evaluation.evaluator)
        candidates = {role: planner.find(_make_input_label(name, evaluator.needs, role)) for role in ROLES}
        inputs = {role: call for role, call in candidates.items() if call is not None}
        data = planner.find("format")
        if not inputs:
            return
        if evaluator.needs == "pairs" and TUNED not in inputs:
            what = f"`{evaluator.name}` compares two models, but the recipe trains no model"
            raise InvalidInput(Problem("unsupported-evaluation", what, f"evals.{name}", hint="remove this evaluation"))
        scores_answers = evaluator.needs in ANSWERS
        if scores_answers and data is not None:
            inputs["data"] = data
        options, files = plan_options(evaluator, evaluation.options, planner) if scores_answers else ({}, {})
        yield planner.call(
            self,
            CallRequest(
                Params(evaluator=evaluation.evaluator, options=options),
                label=f"{self.name}:{name}",
                inputs=inputs,
                files=files,
                environment=getattr(evaluator, "environment", self.environment),
                components={EVALUATOR: planner.component("evaluator", evaluation.evaluator)},
                optional_secrets=getattr(evaluator, "optional_secrets", ()),
            ),
        )

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.evaluation.score.row_check import check_rows
        from ftrun_plugins.evaluation.score.worker import score_rows

        params = Params.model_validate(call.params)
        (check_rows if params.what == "rows" else score_rows)(call, params, context)


def _make_input_label(name: str, needs: str, role: str) -> str:
    """Return the label of the call whose artifact the evaluation scores."""
    if needs in ANSWERS:
        return f"generate:{role}"
    return f"loss:{role}" if needs == "loss" else f"{needs}:{name}:{role}"
