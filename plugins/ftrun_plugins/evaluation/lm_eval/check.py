"""Checks of the evaluations with lm-evaluation-harness in a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput
from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun_plugins.evaluation.lm_eval.task_file import TaskFile
from ftrun_plugins.evaluation.metrics.lm_eval import LmEval


def check_task_files(recipe: Recipe) -> Iterator[Issue]:
    """Yield an issue for each task file that cannot be used. The planner reads these files again."""
    for name, evaluation in recipe.evals.items():
        options: dict[str, Any] = evaluation.options
        path = options.get("task_file")
        if evaluation.evaluator != LmEval.name or not isinstance(path, str):
            continue
        try:
            TaskFile(Path(path), options.get("trust_remote_code") is True, digest=str)
        except InvalidInput as error:
            for problem in error.problems:
                what = f"`task_file` names the file {problem.at}: {problem.what}"
                place = ("evals", name, "task_file")
                yield Issue(problem.code, place, what, problem.expected, problem.did_you_mean, problem.hint)
