"""Lookup of the run that made the models of a recipe."""

from __future__ import annotations

from collections.abc import Sequence

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Recipe
from ftrun.api.stage_call import Plan
from ftrun.store import runs
from ftrun.store.run_plan import read_plan_if_possible
from ftrun.workflow.session import open_session

MODELS = ("fetch:model", "train", "merge")
SUCCESSFUL = ("done", "gate_not_met")


def find_run_for(overrides: Sequence[str], trust: bool = False) -> tuple[str, Recipe]:
    """Return the id of the newest run with the same models as a recipe, and the recipe.

    The recipe's section `serve` may differ from that of the run.

    Raises:
        InvalidInput: If the recipe is wrong, or no run has made its models.
    """
    session = open_session(overrides, trust)
    keys = _model_keys(session.plan)
    for record in reversed(runs.all_runs(session.store)):
        plan = read_plan_if_possible(session.store.run(record.id)) if record.status in SUCCESSFUL else None
        if plan is not None and _model_keys(plan) == keys:
            return record.id, session.loaded.recipe
    raise InvalidInput(
        Problem("unknown-run", "no run has made the models of this recipe", hint=f"ftrun {' '.join(overrides)}")
    )


def _model_keys(plan: Plan) -> dict[str, str]:
    return {call.label: call.key for call in plan.calls if call.label in MODELS}
