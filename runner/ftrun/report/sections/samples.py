"""Section on samples: answers of the base and the tuned model to the same prompts, both better and worse answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ftrun.api.artifacts import Evaluations, FormattedRows
from ftrun.report.run_data import RunData

MAX_SAMPLES = 3  # per evaluation, for better answers and for worse answers
MAX_CHARACTERS = 600  # of a text

Sample = Mapping[str, Any]


def samples(run: RunData) -> dict[str, Any] | None:
    by_evaluation: dict[str, list[Sample]] = {}
    for line in run.lines("evaluate", Evaluations.SAMPLES):
        by_evaluation.setdefault(line["evaluation"], []).append(line)
    selected = {name: _select(lines, _is_higher_better(run, name)) for name, lines in by_evaluation.items()}
    texts = prompts(run, {sample["place"] for lines in selected.values() for sample in lines})
    evaluations = [
        {
            "name": name,
            "rows": len(lines),
            "samples": [
                {
                    "place": sample["place"],
                    "is_better": _is_gain(sample, _is_higher_better(run, name)),
                    "question": list(_question(sample, texts.get(sample["place"]))),
                    "answers": list(_answers(sample)),
                }
                for sample in selected[name]
            ],
        }
        for name, lines in by_evaluation.items()
    ]
    return {"evaluations": evaluations} if evaluations else None


def _is_higher_better(run: RunData, name: str) -> bool:
    return bool(run.evaluation.get(name, {}).get("higher_is_better", True))


def _select(lines: Sequence[Sample], higher_is_better: bool) -> list[Sample]:
    """Return the first samples that are worse with the tuned model, then the first that are better."""
    better = [line for line in lines if _is_gain(line, higher_is_better)]
    worse = [line for line in lines if not _is_gain(line, higher_is_better)]
    return worse[:MAX_SAMPLES] + better[:MAX_SAMPLES]


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


def _question(sample: Sample, prompt: str | None) -> Iterator[tuple[str, str]]:
    if prompt:
        yield "prompt", _shorten(prompt)
    yield "reference", _shorten(sample.get("reference") or "")


def _answers(sample: Sample) -> Iterator[tuple[str, str]]:
    for role in ("base", "tuned"):
        answer = sample[role]
        reason = f", {answer['reason']}" if answer.get("reason") else ""
        yield f"{role}: {answer['score']:.3g}{reason}", _shorten(answer.get("answer") or "")


def _shorten(text: str) -> str:
    excess = len(text) - MAX_CHARACTERS
    return text if excess <= 0 else f"{text[:MAX_CHARACTERS]}… and {excess:,} more characters"
