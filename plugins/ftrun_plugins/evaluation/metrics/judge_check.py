"""Check of the labels of judges in a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ftrun.api.errors import InvalidInput
from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe


def check_labels(recipe: Recipe) -> Iterator[Issue]:
    """Yield an issue for each file of labels that cannot be used."""
    for name, evaluation in recipe.evals.items():
        path = evaluation.options.get("labels")
        if evaluation.evaluator != "judge" or not isinstance(path, str):
            continue
        from ftrun_plugins.evaluation.metrics.judge_labels import read_labels

        try:
            read_labels(Path(path))
        except InvalidInput as error:
            for problem in error.problems:
                what = f"`labels` names the file {problem.at}: {problem.what}"
                place = ("evals", name, "labels")
                yield Issue(problem.code, place, what, problem.expected, problem.did_you_mean, problem.hint)
