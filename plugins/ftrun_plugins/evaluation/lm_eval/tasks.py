"""Loads a task of lm-evaluation-harness: by its name, or from what a task file says, none of which is run as code."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.suggest import nearest
from ftrun_plugins.evaluation.lm_eval.task_file import FUNCTION, TRUST

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.lm_eval.params import Params


def load_tasks(params: Params, context: StageContext) -> dict[str, Any]:
    """The task, or the tasks of a group, by name.

    Raises:
        InvalidInput: there is none of this name, its data cannot be had, or it runs code that is not trusted.
    """
    from lm_eval.tasks import TaskManager

    named = isinstance(params.task, str)
    manager = TaskManager(include_defaults=named)
    if named and params.task not in manager.all_tasks:
        what = f"lm-evaluation-harness has no task named `{params.task}`"
        raise InvalidInput(Problem("unknown-name", what, "task", did_you_mean=nearest(params.task, manager.all_tasks)))
    if not named and not params.trusts_task:
        _sandbox_templates()
    refused: list[str] = []
    if not params.trusts_task:
        _refuse_code_of_the_hub(refused)
    tasks = _loaded(manager, params.task if named else _with_code(params.task, context))
    if refused:
        what = f"the metric `{refused[0]}` is not the harness's own but code of the hub"
        raise InvalidInput(Problem("untrusted-code", what, hint=f"name another, or {TRUST}"))
    for name, task in tasks.items():
        if getattr(task, "UNSAFE_CODE", False) and not params.trusts_task:
            raise InvalidInput(Problem("untrusted-code", f"the task `{name}` runs what models write", hint=TRUST))
    return dict(sorted(tasks.items()))


@contextmanager
def told_templates(task: Any) -> Iterator[None]:
    """What is wrong with a task's templates is the user's to mend."""
    from jinja2 import TemplateError

    try:
        yield
    except TemplateError as error:
        what = f"a template of the task `{_name(task)}` cannot be filled: {_line(error)}"
        raise InvalidInput(Problem("invalid-task", what, hint="mend the task file")) from error


def _loaded(manager: Any, task: Any) -> dict[str, Any]:
    """The tasks with their data."""
    from datasets.exceptions import DatasetsError

    try:
        found: dict[str, Any] = manager.load([task])["tasks"]
    except (OSError, DatasetsError) as error:
        what = f"the data of the task `{_name(task)}` cannot be had: {_line(error)}"
        do = "see to the files, or that the hub can be reached; gated data need the secret `huggingface`"
        raise InvalidInput(Problem("invalid-task", what, hint=do)) from error
    return found


def _with_code(value: Any, context: StageContext) -> Any:
    """What a task file says, with the files and functions that stand for digests."""
    if isinstance(value, str):
        return str(context.file(value)) if value in context.files else value
    if isinstance(value, Mapping):
        if FUNCTION in value:
            digest, name = value[FUNCTION]
            return getattr(_module(digest, context.file(digest)), name)
        return {key: _with_code(inner, context) for key, inner in value.items()}
    return [_with_code(inner, context) for inner in value] if isinstance(value, list) else value


def _module(digest: str, path: Path) -> Any:
    loader = SourceFileLoader(f"task_{digest[:12]}", str(path))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def _sandbox_templates() -> None:
    """Jinja's plain templates reach every object of the interpreter; those of a file may only read their row."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from lm_eval import utils

    sandbox = ImmutableSandboxedEnvironment(undefined=utils.env.undefined, keep_trailing_newline=True)
    sandbox.filters.update(utils.env.filters)
    utils.env = sandbox


def _refuse_code_of_the_hub(refused: list[str]) -> None:
    """Metrics that the harness does not know it looks for on the hub, whose metrics are programs."""
    import evaluate

    def refuse(path: str, *_: Any, **__: Any) -> NoReturn:
        refused.append(path)  # the harness goes on without the metric
        raise InvalidInput(
            Problem("untrusted-code", f"the metric `{path}` is code of the hub", hint=f"name another, or {TRUST}")
        )

    evaluate.load = refuse


def _name(task: Any) -> str:
    return task if isinstance(task, str) else str(task["task"])


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
