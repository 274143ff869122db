"""Figures of runs and differences of their recipes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftrun.report.run_data import RunData

Values = Mapping[str, Any]


def figures(run: RunData) -> dict[str, Any]:
    """Return the figures of a run; unknown figures are None."""
    record = run.record
    results = record.results

    def metric(call: str, name: str) -> Any:
        return record.metrics(call).get(name)

    return {
        "run": record.id,
        "recipe": record.recipe,
        "status": record.status,
        "backend": record.backend,
        "trained_tokens": metric("tokenize", "train_trained_tokens"),
        "loss": metric("train", "last_loss"),
        "eval_loss": metric("train", "last_eval_loss"),
        "train_seconds": results["train"]["seconds"] if "train" in results else None,
        "seconds": record.ended - record.started if record.started and record.ended else None,
        "cost": record.cost,
        "evaluation": run.evaluation,
    }


def differences(recipes: Sequence[Values]) -> dict[str, list[Any]]:
    """Return the values that differ between recipes, by dotted path.

    Each path has a list with one value per recipe, which is None if the recipe does not have the path.
    """
    paths = dict.fromkeys(path for recipe in recipes for path in recipe)
    values_by_path = {path: [recipe.get(path) for recipe in recipes] for path in paths}
    return {path: values for path, values in values_by_path.items() if any(value != values[0] for value in values)}
