"""The section on samples: what the base and the tuned model answered to the same prompt, gains and losses alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ftrun.report.html import Html, element
from ftrun.report.run_data import RunData

MOST_EACH = 3  # of an evaluation, of those that became better and of those that became worse
MOST_LETTERS = 600  # of a text

Sample = Mapping[str, Any]


def samples(material: RunData) -> Iterator[Html]:
    found: dict[str, list[Sample]] = {}
    for line in material.lines("evaluate", "samples.jsonl"):
        found.setdefault(line["evaluation"], []).append(line)
    chosen = {name: _chosen(lines, _more_is_better(material, name)) for name, lines in found.items()}
    asked = prompts(material, {sample["place"] for lines in chosen.values() for sample in lines})
    for number, (name, lines) in enumerate(found.items()):
        more_is_better = _more_is_better(material, name)
        about = f"{name}: {len(chosen[name])} of {len(lines)} rows that the two models score differently"
        shown = (_sample(sample, asked.get(sample["place"]), more_is_better) for sample in chosen[name])
        yield element("details", element("summary", about), shown, open=None if number else "")


def _more_is_better(material: RunData, name: str) -> bool:
    return bool(material.evaluation.get(name, {}).get("higher_is_better", True))


def _chosen(lines: Sequence[Sample], more_is_better: bool) -> list[Sample]:
    """The first that became better, then the first that became worse."""
    better = [line for line in lines if _is_gain(line, more_is_better)]
    worse = [line for line in lines if not _is_gain(line, more_is_better)]
    return better[:MOST_EACH] + worse[:MOST_EACH]


def _is_gain(line: Sample, more_is_better: bool) -> bool:
    return bool((line["tuned"]["score"] > line["base"]["score"]) == more_is_better)


def prompts(material: RunData, places: Iterable[str]) -> dict[str, str]:
    """What the models were asked, by the place of the row."""
    wanted = set(places)
    return {
        line["place"]: text
        for line in material.lines("format", "held_out.jsonl")
        if line.get("place") in wanted and (text := _prompt(line))
    }


def _prompt(example: Mapping[str, Any]) -> str:
    """The last message before the answer, or the text before it."""
    if "messages" in example:
        contents = [message.get("content") for message in example["messages"][:-1]]
        return next((content for content in reversed(contents) if isinstance(content, str) and content), "")
    return "".join(segment["text"] for segment in example.get("segments", ())[:-1])


def _sample(sample: Sample, asked: str | None, more_is_better: bool) -> Html:
    better = _is_gain(sample, more_is_better)
    badge = element("span", "better" if better else "worse", class_=f"badge {'good' if better else 'bad'}")
    return element(
        "article",
        element("h3", sample["place"], " ", badge),
        element("div", _asked(sample, asked), class_="texts two"),
        element("div", _answers(sample), class_="texts two"),
        class_="sample",
    )


def _asked(sample: Sample, asked: str | None) -> Iterator[Html]:
    if asked:
        yield _text("prompt", asked)
    yield _text("reference", sample.get("reference") or "")


def _answers(sample: Sample) -> Iterator[Html]:
    for role in ("base", "tuned"):
        answer = sample[role]
        reason = f", {answer['reason']}" if answer.get("reason") else ""
        yield _text(f"{role}: {answer['score']:.3g}{reason}", answer.get("answer") or "")


def _text(title: str, text: str) -> Html:
    shown = (
        text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}… and {len(text) - MOST_LETTERS:,} more letters"
    )
    return element("div", element("h4", title), element("pre", shown or "(nothing)"))
