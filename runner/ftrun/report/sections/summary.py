"""Header of a report: the status of the run, the conclusion and the main facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftrun.api.errors import Problem
from ftrun.report.number_format import duration, local_time, number
from ftrun.report.run_data import RunData
from ftrun.report.sections.evaluation import conclusion
from ftrun.store.run_record import RecordedProblem

STATUS = {"gate_not_met": "gate not met"}
GOOD, BAD = ("done",), ("failed", "gate_not_met")


def summary(run: RunData) -> dict[str, Any]:
    record = run.record
    return {
        "id": record.id,
        "status": STATUS.get(record.status, record.status),
        "tone": "good" if record.status in GOOD else "bad" if record.status in BAD else "plain",
        "conclusion": conclusion(run.evaluation),
        "problems": [_problem(problem) for problem in record.problems],
        "facts": list(_facts(run)),
    }


def _problem(problem: RecordedProblem) -> dict[str, Any]:
    parsed = Problem.from_dict(problem)
    return {"what": parsed.what, "details": [("at", parsed.at), ("expected", parsed.expected), ("hint", parsed.hint)]}


def _facts(run: RunData) -> Iterator[tuple[str, str | tuple[str, str]]]:
    record, recipe = run.record, run.recipe
    data = record.metrics("format")
    tokens = record.metrics("tokenize").get("train_trained_tokens")
    yield "recipe", record.recipe
    owner, slash, model = recipe["model"]["base_model"].rpartition("/")
    yield "base model", (f"{owner}{slash}", model)
    if "train" in data:
        validation = f"{number(data['validation'])} for validation, " if data.get("validation") else ""
        yield "rows", f"{number(data['train'])} for training, {validation}{number(data.get('held_out', 0))} held out"
    if tokens:
        yield "trained tokens", f"{number(tokens)} per epoch"
    yield "optimizations", ", ".join(recipe.get("optimizations", {})) or "none"
    yield "backend", record.backend
    if record.started:
        yield "started", local_time(record.started)
    if record.started and record.ended:
        yield "duration", duration(record.ended - record.started)
    if record.cost is not None:
        yield "cost", f"${record.cost:.2f}, from run time and listed prices"
