"""Section on samples: answers of the base and the tuned model to the same prompts, both better and worse answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ftrun.api.artifacts import Evaluations, FormattedRows
from ftrun.report.html import Html, element
from ftrun.report.run_data import RunData

MAX_SAMPLES = 3  # per evaluation, for better answers and for worse answers
MAX_CHARACTERS = 600  # of a text

Sample = Mapping[str, Any]


def samples(run: RunData) -> Iterator[Html]:
    by_evaluation: dict[str, list[Sample]] = {}
    for line in run.lines("evaluate", Evaluations.SAMPLES):
        by_evaluation.setdefault(line["evaluation"], []).append(line)
    selected = {name: _select(lines, _is_higher_better(run, name)) for name, lines in by_evaluation.items()}
    texts = prompts(run, {sample["place"] for lines in selected.values() for sample in lines})
    for number, (name, lines) in enumerate(by_evaluation.items()):
        higher_is_better = _is_higher_better(run, name)
        title = f"{name}: {len(selected[name])} of {len(lines)} rows for which the scores of the two models differ"
        elements = (_sample(sample, texts.get(sample["place"]), higher_is_better) for sample in selected[name])
        yield element("details", element("summary", title), elements, open=None if number else "")


def _is_higher_better(run: RunData, name: str) -> bool:
    return bool(run.evaluation.get(name, {}).get("higher_is_better", True))


def _select(lines: Sequence[Sample], higher_is_better: bool) -> list[Sample]:
    """Return the first samples that are better with the tuned model, then the first that are worse."""
    better = [line for line in lines if _is_gain(line, higher_is_better)]
    worse = [line for line in lines if not _is_gain(line, higher_is_better)]
    return better[:MAX_SAMPLES] + worse[:MAX_SAMPLES]


def _is_gain(line: Sample, higher_is_better: bool) -> bool:
    return bool((line["tuned"]["score"] > line["base"]["score"]) == higher_is_better)


def prompts(run: RunData, places: Iterable[str]) -> dict[str, str]:
    """Return the prompts of the rows at these places, by place."""
    requested = set(places)
    return {
        line["place"]: text
        for line in run.lines("format", FormattedRows.file_name("held_out"))
        if line.get("place") in requested and (text := _prompt(line))
    }


def _prompt(example: Mapping[str, Any]) -> str:
    """Return the last message before the answer, or the text before it."""
    if "messages" in example:
        contents = [message.get("content") for message in example["messages"][:-1]]
        return next((content for content in reversed(contents) if isinstance(content, str) and content), "")
    return "".join(segment["text"] for segment in example.get("segments", ())[:-1])


def _sample(sample: Sample, prompt: str | None, higher_is_better: bool) -> Html:
    better = _is_gain(sample, higher_is_better)
    badge = element("span", "better" if better else "worse", class_=f"badge {'good' if better else 'bad'}")
    return element(
        "article",
        element("h3", sample["place"], " ", badge),
        element("div", _question(sample, prompt), class_="texts two"),
        element("div", _answers(sample), class_="texts two"),
        class_="sample",
    )


def _question(sample: Sample, prompt: str | None) -> Iterator[Html]:
    if prompt:
        yield _text("prompt", prompt)
    yield _text("reference", sample.get("reference") or "")


def _answers(sample: Sample) -> Iterator[Html]:
    for role in ("base", "tuned"):
        answer = sample[role]
        reason = f", {answer['reason']}" if answer.get("reason") else ""
        yield _text(f"{role}: {answer['score']:.3g}{reason}", answer.get("answer") or "")


def _text(title: str, text: str) -> Html:
    excess = len(text) - MAX_CHARACTERS
    shortened = text if excess <= 0 else f"{text[:MAX_CHARACTERS]}… and {excess:,} more characters"
    return element("div", element("h4", title), element("pre", shortened or "(empty)"))
