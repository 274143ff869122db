"""Finds the run that made the models of a recipe."""

from __future__ import annotations

from collections.abc import Sequence

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Recipe
from ftrun.api.stage_call import Plan
from ftrun.cli.session import open_session
from ftrun.execution.engine import read_plan
from ftrun.store import runs

MODELS = ("fetch:model", "train", "merge")
ENDED_WELL = ("done", "gate_not_met")


def find_run_for(overrides: Sequence[str]) -> tuple[str, Recipe]:
    """The newest run with the same models, and the recipe, whose section `serve` may differ from the run's.

    Raises:
        InvalidInput: the recipe is wrong, or no run has made its models.
    """
    session = open_session(overrides)
    wanted = _models(session.plan)
    for record in reversed(runs.all_runs(session.store)):
        if record.status in ENDED_WELL and _models(read_plan(session.store.run(record.id))) == wanted:
            return record.id, session.loaded.recipe
    raise InvalidInput(
        Problem("unknown-run", "no run has made the models of this recipe yet", hint=f"ftrun {' '.join(overrides)}")
    )


def _models(plan: Plan) -> dict[str, str]:
    return {call.label: call.key for call in plan.calls if call.label in MODELS}
