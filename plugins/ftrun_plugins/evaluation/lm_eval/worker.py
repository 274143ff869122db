"""Asks a model a task of lm-evaluation-harness, through its own class for vLLM, and writes each document's score."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import Scores
from ftrun.api.errors import InvalidInput, Problem
from ftrun_plugins.evaluation.generate.vllm_engine import SURROUNDINGS
from ftrun_plugins.evaluation.lm_eval.model import load_harness_model
from ftrun_plugins.evaluation.lm_eval.tasks import load_tasks, told_templates

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.lm_eval.params import Params

AVERAGED = ("mean", "nanmean")  # aggregations under which a document's value is its score


def measure(params: Params, context: StageContext) -> None:
    """Writes `scores.jsonl`; answers that an earlier try got are not asked for again."""
    os.environ.update(_surroundings(params, context))
    with told_templates(params.task):
        tasks = load_tasks(params, context)
        samples = _samples(tasks, params, context)
    metrics = {name: _metric(name, task, samples[name], params.metric) for name, task in tasks.items()}
    if len(set(metrics.values())) > 1:
        raise InvalidInput(
            Problem(
                "invalid-task",
                "the tasks of this group have different metrics",
                hint="name one that all have: `metric`",
            )
        )
    metric, chosen = next(iter(metrics.values()))
    higher = next(iter(tasks.values())).higher_is_better().get(metric, True)
    rows = list(_rows(samples, tasks, metric, chosen))
    with (context.output / Scores.ROWS).open("w") as file:
        file.writelines(json.dumps({"index": index, **row}) + "\n" for index, row in enumerate(rows))
    (context.output / Scores.MEANING).write_text(json.dumps({"metric": metric, "higher_is_better": higher}))
    mean = sum(row["score"] for row in rows) / len(rows)
    context.report.metric(rows=len(rows), metric=metric, mean=round(mean, 6))


def _rows(samples: Mapping[str, Any], tasks: Iterable[str], metric: str, chosen: str) -> Iterator[dict[str, Any]]:
    """Place and score of each document, task after task."""
    for name in tasks:
        documents = (one for one in samples[name] if one["filter"] == chosen)
        for one in sorted(documents, key=lambda one: one["doc_id"]):
            yield {"place": f"{name}:{one['doc_id']}", "score": float(one[metric])}


def _surroundings(params: Params, context: StageContext) -> dict[str, str]:
    here = {"HF_HUB_OFFLINE": "0"} if params.downloads else {"HF_DATASETS_CACHE": str(context.work / "datasets")}
    runs_code = {"HF_ALLOW_CODE_EVAL": "1"} if params.trusts_task else {}  # what the model writes, where a task does
    # a small function of the engine takes longer to compile on a CPU than most tasks take
    return {**SURROUNDINGS, **here, **runs_code, **({} if params.gpus else {"TORCHDYNAMO_DISABLE": "1"})}


def _samples(tasks: Mapping[str, Any], params: Params, context: StageContext) -> dict[str, list[dict[str, Any]]]:
    """What the harness says of each document, by task."""
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.tasks import TaskManager

    model = load_harness_model(params, context)
    chat = bool(model.tokenizer.chat_template) if params.apply_chat_template is None else params.apply_chat_template
    if chat and not model.tokenizer.chat_template:
        raise InvalidInput(
            Problem("missing-template", "the model has no chat template", "apply_chat_template", hint="leave it out")
        )
    results = simple_evaluate(  # with its own seeds, which are fixed
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
    found: dict[str, list[dict[str, Any]]] = results["samples"]
    return found


def _metric(name: str, task: Any, samples: Sequence[Mapping[str, Any]], wanted: str | None) -> tuple[str, str]:
    """The metric and the filter that are scored: those asked for, else the first that give each document a score."""
    if not samples:
        raise InvalidInput(
            Problem(
                "invalid-task",
                f"the task `{name}` has no document to score",
                hint="see to its data, or name another task",
            )
        )
    filters = list(dict.fromkeys(str(one["filter"]) for one in samples))
    scored = [metric for metric, combine in task.aggregation().items() if _is_averaged(metric, combine, samples)]
    known = [(metric, one) for metric in scored for one in filters]
    metric, _, chosen = (wanted or "").partition(",")
    found = [(one, by) for one, by in known if metric in ("", one) and chosen in ("", by)]
    if not found:
        what = (
            f"the task `{name}` has no metric {wanted!r} of single documents"
            if wanted
            else (f"the task `{name}` has no metric of single documents, which could be compared in pairs")
        )
        raise InvalidInput(
            Problem(
                "unknown-name", what, "metric", f"one of {', '.join(','.join(one) for one in known)}" if known else None
            )
        )
    return found[0]


def _is_averaged(metric: str, combine: Any, samples: Sequence[Mapping[str, Any]]) -> bool:
    values = [one.get(metric) for one in samples]
    averaged = getattr(combine, "__name__", None) in AVERAGED
    return averaged and all(isinstance(value, Real) and math.isfinite(value) for value in values)
