"""Scoring of a model on a task of lm-evaluation-harness, with the model class of the harness for vLLM."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import Scores
from ftrun.api.errors import InvalidInput, Problem
from ftrun_plugins.evaluation.finite import require_finite
from ftrun_plugins.evaluation.generate.vllm_engine import ENVIRONMENT
from ftrun_plugins.evaluation.lm_eval.model import load_harness_model
from ftrun_plugins.evaluation.lm_eval.tasks import load_tasks, report_template_errors

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.lm_eval.params import Params

# Aggregations for which the value of a document is its score. `nanmean` leaves out documents whose value is NaN.
MEAN, NANMEAN = "mean", "nanmean"


def measure(params: Params, context: StageContext) -> None:
    """Write `scores.jsonl`. Reuses the answers of an earlier attempt.

    Raises:
        InvalidInput: If the task or one of its options is wrong.
    """
    os.environ.update(_make_environment(params, context))
    with report_template_errors(params.task):
        tasks = load_tasks(params, context)
        samples = _evaluate(tasks, params, context)
    metrics = {name: _choose_metric(name, task, samples[name], params.metric) for name, task in tasks.items()}
    if len(set(metrics.values())) > 1:
        raise InvalidInput(
            Problem(
                "invalid-task",
                "the tasks of this group have different metrics",
                hint="set `metric` to a metric that all tasks have",
            )
        )
    metric, chosen = next(iter(metrics.values()))
    higher = next(iter(tasks.values())).higher_is_better().get(metric, True)
    rows = list(_make_rows(samples, tasks, metric, chosen))
    scored = [row["score"] for row in rows if row["score"] is not None]
    if not scored:
        what = f"the metric `{metric}` scores none of {len(rows)} documents"
        raise InvalidInput(Problem("unscored", what, "metric", hint="use another metric"))
    with (context.output / Scores.ROWS).open("w") as file:
        lines = (json.dumps({"index": index, **row}, allow_nan=False) for index, row in enumerate(rows))
        file.writelines(f"{line}\n" for line in lines)
    (context.output / Scores.MEANING).write_text(json.dumps({"metric": metric, "higher_is_better": higher}))
    unscored = {"unscored": len(rows) - len(scored)} if len(scored) < len(rows) else {}
    context.report.metric(rows=len(rows), metric=metric, mean=round(sum(scored) / len(scored), 6), **unscored)


def _make_rows(
    samples: Mapping[str, Any], tasks: Mapping[str, Any], metric: str, chosen: str
) -> Iterator[dict[str, Any]]:
    """Yield the place and score of each document, task by task. The score is None if the task leaves a document out.

    Raises:
        FtrunError: If a score is not finite, and the task averages it.
    """
    for name, task in tasks.items():
        leaves_out = getattr(task.aggregation()[metric], "__name__", None) == NANMEAN
        documents = (sample for sample in samples[name] if sample["filter"] == chosen)
        for sample in sorted(documents, key=lambda sample: sample["doc_id"]):
            place, score = f"{name}:{sample['doc_id']}", float(sample[metric])
            if leaves_out and math.isnan(score):
                yield {"place": place, "score": None, "reason": f"the task gives no `{metric}` to this document"}
            else:
                yield {"place": place, "score": require_finite(score, f"`{metric}`", place)}


def _make_environment(params: Params, context: StageContext) -> dict[str, str]:
    """Return the environment variables for the harness and the engine."""
    data = {"HF_HUB_OFFLINE": "0"} if params.downloads else {"HF_DATASETS_CACHE": str(context.work / "datasets")}
    code = {"HF_ALLOW_CODE_EVAL": "1"} if params.trusts_task else {}  # allows a task to run code that the model writes
    # On a CPU, compiling a small function of the engine takes longer than most tasks.
    return {**ENVIRONMENT, **data, **code, **({} if params.gpus else {"TORCHDYNAMO_DISABLE": "1"})}


def _evaluate(tasks: Mapping[str, Any], params: Params, context: StageContext) -> dict[str, list[dict[str, Any]]]:
    """Return the samples of the harness, which describe one document each, by task."""
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.tasks import TaskManager

    model = load_harness_model(params, context)
    chat = bool(model.tokenizer.chat_template) if params.apply_chat_template is None else params.apply_chat_template
    if chat and not model.tokenizer.chat_template:
        raise InvalidInput(
            Problem(
                "missing-template", "the model has no chat template", "apply_chat_template", hint="remove this option"
            )
        )
    results = simple_evaluate(  # uses the default seeds, which are fixed
        model=model,
        tasks=list(tasks.values()),
        task_manager=TaskManager(include_defaults=False),
        num_fewshot=params.num_fewshot,
        limit=params.limit,
        apply_chat_template=chat,
        fewshot_as_multiturn=chat,
        gen_kwargs={"max_gen_toks": params.max_tokens} if params.max_tokens else None,
        bootstrap_iters=0,
        confirm_run_unsafe_code=params.trusts_task,
    )
    samples: dict[str, list[dict[str, Any]]] = results["samples"]
    return samples


def _choose_metric(name: str, task: Any, samples: Sequence[Mapping[str, Any]], wanted: str | None) -> tuple[str, str]:
    """Return the metric and the filter to score: the wanted ones, else the first that score each document.

    Raises:
        InvalidInput: If the task has no documents, or no metric that scores each document.
    """
    if not samples:
        raise InvalidInput(
            Problem(
                "invalid-task",
                f"the task `{name}` has no documents to score",
                hint="check its data, or use another task",
            )
        )
    filters = list(dict.fromkeys(str(sample["filter"]) for sample in samples))
    scored = [metric for metric, combine in task.aggregation().items() if _is_averaged(metric, combine, samples)]
    known = [(metric, filter_name) for metric in scored for filter_name in filters]
    wanted_metric, _, wanted_filter = (wanted or "").partition(",")
    matches = [pair for pair in known if wanted_metric in ("", pair[0]) and wanted_filter in ("", pair[1])]
    if not matches:
        what = (
            f"the task `{name}` has no metric `{wanted}` that scores single documents"
            if wanted
            else f"the task `{name}` has no metric that scores single documents, which the comparison needs"
        )
        raise InvalidInput(
            Problem("unknown-name", what, "metric", f"one of {', '.join(map(','.join, known))}" if known else None)
        )
    return matches[0]


def _is_averaged(metric: str, combine: Any, samples: Sequence[Mapping[str, Any]]) -> bool:
    values = [sample.get(metric) for sample in samples]
    averaged = getattr(combine, "__name__", None) in (MEAN, NANMEAN)
    return averaged and all(isinstance(value, Real) for value in values)
