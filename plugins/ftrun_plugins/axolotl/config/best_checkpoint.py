"""Choice of the best checkpoint: by validation rows, never by the held-out rows that evaluations score.

A model that the held-out rows chose looks better on them than on new rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun.api.trainers import TrainerConfig
from ftrun_plugins.axolotl.config.combinations import EVALUATION_KEYS, requests_evaluations

CHOOSING_KEYS = ("early_stopping_patience", "load_best_model_at_end", "metric_for_best_model", "greater_is_better")
HINT = "set dataset.split.validation=0.05, or leave out the evaluations"
LAST_CHECKPOINT = (
    "the last checkpoint is the result: held-out rows do not choose it; set dataset.split.validation for the best one"
)


def check_best_checkpoint(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    """Yield an issue for each key that chooses a checkpoint, if nothing or the wrong rows would choose it."""
    fault = _find_fault(recipe, config.values)
    if fault is None:
        return
    for key in CHOOSING_KEYS:
        value = config.values.get(key)
        if value is not None and (value is not False or key == "greater_is_better"):
            yield Issue("conflicting-keys", config.origins[key], f"`{key}` {fault[0]}", hint=fault[1])


def keeps_last_checkpoint(recipe: Recipe, config: Mapping[str, Any]) -> bool:
    """Return True if the trainer evaluates by held-out rows of the evaluations, so that it must choose nothing by them.

    axolotl 0.21 keeps the best checkpoint unless `load_best_model_at_end` is false.
    """
    return _evaluates(config) and _scores_held_out(recipe) and config.get("load_best_model_at_end") is None


def _find_fault(recipe: Recipe, values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what is wrong with each of `CHOOSING_KEYS`, and the next step."""
    if not (recipe.dataset.holds_out or recipe.dataset.has_validation):
        hint = "set dataset.split.validation and train.eval_steps"
        return "needs evaluations during training, but there are no validation rows", hint
    if not _evaluates(values):
        return "needs evaluations during training, but the trainer does not evaluate", "set train.eval_steps"
    if _scores_held_out(recipe):
        return "chooses the model by the held-out rows, which the evaluations then score", HINT
    return None


def _evaluates(values: Mapping[str, Any]) -> bool:
    return any(requests_evaluations(key, values) for key in EVALUATION_KEYS)


def _scores_held_out(recipe: Recipe) -> bool:
    """Return True if evaluations score the rows by which the trainer evaluates."""
    return bool(recipe.evals) and recipe.dataset.holds_out and not recipe.dataset.has_validation
