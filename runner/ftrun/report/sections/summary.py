"""Header of a report: the status of the run, the conclusion and the main facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftrun.api.errors import Problem
from ftrun.report.html import Content, Html, element, facts
from ftrun.report.number_format import duration, local_time, number
from ftrun.report.run_data import RunData
from ftrun.report.sections.evaluation import conclusion

STATUS = {"gate_not_met": "gate not met"}
GOOD, BAD = ("done",), ("failed", "gate_not_met")


def summary(run: RunData) -> Html:
    record = run.record
    kind = "good" if record.status in GOOD else "bad" if record.status in BAD else "plain"
    badge = element("span", STATUS.get(record.status, record.status), class_=f"badge {kind}")
    sentence = conclusion(run.evaluation)
    return element(
        "header",
        element("h1", record.id, " ", badge),
        element("p", sentence, class_="conclusion") if sentence else None,
        (_problem(problem) for problem in record.problems),
        facts(_facts(run)),
    )


def _problem(problem: dict[str, Any]) -> Html:
    parsed = Problem.from_dict(problem)
    details = (("at", parsed.at), ("expected", parsed.expected), ("hint", parsed.hint))
    return element("div", element("p", parsed.what), facts(details), class_="problem")


def _facts(run: RunData) -> Iterator[tuple[str, Content]]:
    record, recipe = run.record, run.recipe
    data = record.results.get("format", {}).get("metrics", {})
    tokens = record.results.get("tokenize", {}).get("metrics", {}).get("train_trained_tokens")
    yield "recipe", record.recipe
    owner, slash, model = recipe["model"]["base_model"].rpartition("/")
    yield "base model", [f"{owner}{slash}", element("wbr"), model]
    if "train" in data:
        yield "rows", f"{number(data['train'])} for training, {number(data.get('held_out', 0))} held out"
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
