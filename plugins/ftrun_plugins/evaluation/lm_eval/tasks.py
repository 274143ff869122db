"""Loading of a task of lm-evaluation-harness by its name, or from the values of a task file.

Only a trusted task runs code.
"""

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
from ftrun_plugins.evaluation.lm_eval.task_limits import limit_tasks
from ftrun_plugins.models.hub import keep_token_at_hub

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.lm_eval.params import Params


def load_tasks(params: Params, context: StageContext) -> dict[str, Any]:
    """Return the task, or the tasks of a group, by name.

    Raises:
        InvalidInput: If no task has this name, its data cannot be loaded, or it runs code that is not trusted.
    """
    from lm_eval.tasks import TaskManager

    if params.downloads:
        keep_token_at_hub()
    is_name = isinstance(params.task, str)
    manager = TaskManager(include_defaults=is_name)
    if is_name and params.task not in manager.all_tasks:
        what = f"lm-evaluation-harness has no task named `{params.task}`"
        raise InvalidInput(Problem("unknown-name", what, "task", did_you_mean=nearest(params.task, manager.all_tasks)))
    if not is_name and not params.trusts_task:
        _sandbox_templates()
        limit_tasks()
    hub_metrics: list[str] = []
    if not params.trusts_task:
        _forbid_hub_metrics(hub_metrics)
    tasks = _load(manager, params.task if is_name else _restore_files(params.task, context))
    if hub_metrics:
        what = f"the metric `{hub_metrics[0]}` is not part of the harness, but code on the hub"
        raise InvalidInput(Problem("untrusted-code", what, hint=f"use another metric, or {TRUST}"))
    for name, task in tasks.items():
        if getattr(task, "UNSAFE_CODE", False) and not params.trusts_task:
            raise InvalidInput(Problem("untrusted-code", f"the task `{name}` runs code that models write", hint=TRUST))
    return dict(sorted(tasks.items()))


@contextmanager
def report_template_errors(task: Any) -> Iterator[None]:
    """Report errors in the templates of a task as errors that the user can fix.

    Raises:
        InvalidInput: If the block raises an error of a template.
    """
    from jinja2 import TemplateError

    try:
        yield
    except TemplateError as error:
        what = f"a template of the task `{_get_name(task)}` cannot be rendered: {_shorten(error)}"
        raise InvalidInput(Problem("invalid-task", what, hint="correct the task file")) from error


def _load(manager: Any, task: Any) -> dict[str, Any]:
    """Load the tasks with their data."""
    from datasets.exceptions import DatasetsError

    try:
        tasks: dict[str, Any] = manager.load([task])["tasks"]
    except (OSError, DatasetsError) as error:
        what = f"the data of the task `{_get_name(task)}` cannot be loaded: {_shorten(error)}"
        hint = "check the files, or the connection to the hub; gated data needs the secret `huggingface`"
        raise InvalidInput(Problem("invalid-task", what, hint=hint)) from error
    return tasks


def _restore_files(value: Any, context: StageContext) -> Any:
    """Return the values of a task file, with paths and functions in place of digests."""
    if isinstance(value, str):
        return str(context.file(value)) if value in context.files else value
    if isinstance(value, Mapping):
        if FUNCTION in value:
            digest, name = value[FUNCTION]
            return getattr(_import_module(digest, context.file(digest)), name)
        return {key: _restore_files(inner, context) for key, inner in value.items()}
    return [_restore_files(inner, context) for inner in value] if isinstance(value, list) else value


def _import_module(digest: str, path: Path) -> Any:
    loader = SourceFileLoader(f"task_{digest[:12]}", str(path))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def _sandbox_templates() -> None:
    """Let templates read only their row. Plain templates of Jinja can access every object of the interpreter."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from lm_eval import utils

    sandbox = ImmutableSandboxedEnvironment(undefined=utils.env.undefined, keep_trailing_newline=True)
    sandbox.filters.update(utils.env.filters)
    utils.env = sandbox


def _forbid_hub_metrics(names: list[str]) -> None:
    """Forbid metrics from the hub, which are programs. The harness loads metrics from the hub that it does not know.

    Args:
        names: A list to which the names of forbidden metrics are added.
    """
    import evaluate

    def forbid(path: str, *_: Any, **__: Any) -> NoReturn:
        names.append(path)  # because the harness ignores the exception and continues without the metric
        raise InvalidInput(
            Problem("untrusted-code", f"the metric `{path}` is code on the hub", hint=f"use another metric, or {TRUST}")
        )

    evaluate.load = forbid


def _get_name(task: Any) -> str:
    return task if isinstance(task, str) else str(task["task"])


def _shorten(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
