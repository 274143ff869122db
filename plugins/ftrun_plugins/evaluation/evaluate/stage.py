"""Stage `evaluate`: compares the scores of the base and the tuned model, and checks the gates.

evaluation.json   by evaluation: both means, the difference with its interval and p-value, the verdict, the gate
samples.jsonl     rows for which the scores of the two models differ, with both answers, the largest loss first
clusters.json     by evaluation: the cluster of each row, by the index of the row
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.planner import CallRequest
from ftrun_plugins.evaluation.candidates import ANSWERS
from ftrun_plugins.evaluation.evaluate.params import Evaluation, Params

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall

DATA = "format:"  # role of the held-out rows; no evaluation has this name


class Evaluate:
    """Stage that compares scores. It runs in the environment of the client, because it needs no other packages."""

    name: ClassVar[str] = "evaluate"
    version: ClassVar[int] = 4
    environment: ClassVar[str] = "client"

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        scored = {name: planner.find(f"score:{name}") for name in recipe.evals}
        inputs = {name: call for name, call in scored.items() if call is not None}
        if not inputs:
            return []
        evaluations = {name: _plan_evaluation(name, recipe, planner) for name in inputs}
        data = planner.find("format")
        if data is not None and any(evaluation.held_out for evaluation in evaluations.values()):
            inputs[DATA] = data
        params = Params(evals=evaluations, group_columns=_find_group_columns(recipe, planner))
        return [planner.call(self, CallRequest(params, inputs=inputs))]

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.evaluation.evaluate.worker import evaluate

        evaluate(Params.model_validate(call.params), context)


def _plan_evaluation(name: str, recipe: Recipe, planner: Planner) -> Evaluation:
    evaluation = recipe.evals[name]
    held_out = planner.registered("evaluator", evaluation.evaluator).needs in (*ANSWERS, "loss")
    for key in ("cluster", "slices"):
        if getattr(evaluation, key) and not held_out:
            what = f"`{evaluation.evaluator}` does not score the held-out rows, so they cannot be grouped"
            raise InvalidInput(Problem("unsupported-evaluation", what, f"evals.{name}.{key}", hint="remove this key"))
    return Evaluation(gate=evaluation.gate, cluster=evaluation.cluster, slices=evaluation.slices, held_out=held_out)


def _find_group_columns(recipe: Recipe, planner: Planner) -> tuple[str, ...]:
    """Return the columns by which the dataset is split, and those in which its sources group their rows."""
    dataset = recipe.dataset
    splits = [dataset.split, *(dataset.split_of(part) for part in dataset.parts.values())]
    sources = (planner.registered("source", source.name) for source in dataset.sources())
    columns = [*(split.by for split in splits), *(getattr(source, "group_column", None) for source in sources)]
    return tuple(dict.fromkeys(column for column in columns if column))
