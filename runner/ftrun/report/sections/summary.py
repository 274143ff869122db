"""The head of a report: how the run ended, what may be concluded, and its main facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ftrun.api.errors import Problem
from ftrun.report.html import Content, Html, element, facts
from ftrun.report.number_format import duration, moment, number
from ftrun.report.run_data import RunData
from ftrun.report.sections.evaluation import conclusion

STATUS = {"gate_not_met": "a gate is not met"}
GOOD, BAD = ("done",), ("failed", "gate_not_met")


def summary(material: RunData) -> Html:
    record = material.record
    kind = "good" if record.status in GOOD else "bad" if record.status in BAD else "plain"
    badge = element("span", STATUS.get(record.status, record.status), class_=f"badge {kind}")
    concluded = conclusion(material.evaluation)
    return element(
        "header",
        element("h1", record.id, " ", badge),
        element("p", concluded, class_="conclusion") if concluded else None,
        (_problem(problem) for problem in record.problems),
        facts(_facts(material)),
    )


def _problem(problem: dict[str, Any]) -> Html:
    found = Problem.from_dict(problem)
    more = (("at", found.at), ("expected", found.expected), ("hint", found.hint))
    return element("div", element("p", found.what), facts(more), class_="problem")


def _facts(material: RunData) -> Iterator[tuple[str, Content]]:
    record, recipe = material.record, material.recipe
    data = record.results.get("format", {}).get("metrics", {})
    tokens = record.results.get("tokenize", {}).get("metrics", {}).get("train_trained_tokens")
    yield "recipe", record.recipe
    owner, slash, model = recipe["model"]["base_model"].rpartition("/")
    yield "base model", [f"{owner}{slash}", element("wbr"), model]
    if "train" in data:
        yield "rows", f"{number(data['train'])} for training, {number(data.get('held_out', 0))} held out"
    if tokens:
        yield "trained tokens", f"{number(tokens)} an epoch"
    yield "optimizations", ", ".join(recipe.get("optimizations", {})) or "none"
    yield "backend", record.backend
    if record.started:
        yield "started", moment(record.started)
    if record.started and record.ended:
        yield "took", duration(record.ended - record.started)
    if record.cost is not None:
        yield "cost", f"${record.cost:.2f} by the clock, at listed prices"
