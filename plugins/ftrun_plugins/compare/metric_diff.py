"""One run among others: its figures, and where its recipe differs from theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftrun.report.run_data import RunData

Values = Mapping[str, Any]


def figures(material: RunData) -> dict[str, Any]:
    """What is compared of a run; None where it is not known."""
    record = material.record
    results = record.results

    def metric(call: str, name: str) -> Any:
        return results.get(call, {}).get("metrics", {}).get(name)

    return {
        "run": record.id,
        "recipe": record.recipe,
        "status": record.status,
        "backend": record.backend,
        "trained_tokens": metric("tokenize", "train_trained_tokens"),
        "loss": metric("train", "last_loss"),
        "eval_loss": metric("train", "last_eval_loss"),
        "train_seconds": results.get("train", {}).get("seconds"),
        "seconds": record.ended - record.started if record.started and record.ended else None,
        "cost": record.cost,
        "evaluation": material.evaluation,
    }


def differences(recipes: Sequence[Values]) -> dict[str, list[Any]]:
    """By dotted path the value of each recipe, for values that are not the same in all; None where one has none."""
    paths = dict.fromkeys(path for recipe in recipes for path in recipe)
    found = {path: [recipe.get(path) for recipe in recipes] for path in paths}
    return {path: values for path, values in found.items() if any(value != values[0] for value in values)}
