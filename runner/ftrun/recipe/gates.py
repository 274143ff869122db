"""Check of the gates of a recipe."""

from __future__ import annotations

from collections.abc import Iterator

from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun.plugins.manager import Plugins


def check_gates(recipe: Recipe, plugins: Plugins) -> Iterator[Issue]:
    """Yield an issue for each gate with a minimum of a score of which lower is better."""
    evaluators = plugins.of_kind("evaluator")
    for name, evaluation in recipe.evals.items():
        registered = evaluators.get(evaluation.evaluator)
        if registered is None or evaluation.gate is None or evaluation.gate.min is None:
            continue
        if not registered.cls.higher_is_better:
            what = f"a lower `{evaluation.evaluator}` is better, so a gate cannot require a minimum"
            hint = f"set evals.{name}.gate.max, or evals.{name}.gate.min_gain_over_base"
            yield Issue("invalid-value", ("evals", name, "gate", "min"), what, hint=hint)
