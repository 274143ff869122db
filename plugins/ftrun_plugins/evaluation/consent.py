"""Consent items of evaluations: code of tasks, and the host of a judge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ftrun.api.consent import ConsentItem
from ftrun.api.recipe import Recipe
from ftrun.utils.digests import digest, sha256_of
from ftrun_plugins.evaluation.lm_eval.task_file import TaskFile
from ftrun_plugins.evaluation.metrics.judge import Judge
from ftrun_plugins.evaluation.metrics.lm_eval import LmEval


def find_items(recipe: Recipe) -> Iterator[ConsentItem]:
    """Yield an item for each task that may run code, and for each host that gets answers."""
    for name, evaluation in recipe.evals.items():
        options, path = evaluation.options, ("evals", name)
        if evaluation.evaluator == Judge.name:
            what = f"sends prompts, references and answers to {options.get('base_url')}, with the key in JUDGE_API_KEY"
            yield ConsentItem((*path, "base_url"), what)
        if evaluation.evaluator == LmEval.name and options.get("trust_remote_code") is True:
            what, content = _describe_task(options.get("task"), options.get("task_file"))
            yield ConsentItem((*path, "trust_remote_code"), f"{what}, and what models write for it", content)


def _describe_task(task: object, task_file: object) -> tuple[str, str]:
    if not isinstance(task_file, str):
        return f"runs the code of the task {task} of lm-evaluation-harness", ""
    read = TaskFile(Path(task_file), True, sha256_of)
    code = sorted(path.name for path in read.files.values() if path.suffix == ".py")
    names = f" in {', '.join(code)}" if code else ""
    return f"runs the code that the task file {task_file} names{names}", digest([read.config, sorted(read.files)])
