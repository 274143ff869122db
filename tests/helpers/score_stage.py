"""Calls the stage `score` on answers made for a test, without a run around it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftrun.api.context import Reporter, StageContext, StopRequest
from ftrun.api.stage_call import Component, EnvironmentRef, StageCall
from ftrun.utils.code_digest import source_digest
from ftrun.utils.jsonl import read_lines
from ftrun_plugins.evaluation.score.stage import Score


def write(path: Path, *found: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in found))


def answered(folder: Path, *answers: str) -> Path:
    """What `generate` makes: answers that their model ended by itself, with a token a word."""
    found = (
        {"reference": "yes", "prediction": answer, "tokens": len(answer.split()), "stopped": True} for answer in answers
    )
    write(
        folder / "predictions.jsonl",
        *({"index": index, "place": f"rows.jsonl:{index + 1}", **line} for index, line in enumerate(found)),
    )
    return folder


def rows(folder: Path, count: int, *, questions: Sequence[str] = ()) -> Path:
    """What `format` makes of held-out rows; each asks `well?` unless there are questions."""
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps({"kind": "chat"}))
    turns = (
        [{"role": "user", "content": question}, {"role": "assistant", "content": "yes"}]
        for question in questions or ["well?"] * count
    )
    write(
        folder / "held_out.jsonl",
        *({"place": f"rows.jsonl:{row + 1}", "messages": messages} for row, messages in enumerate(turns)),
    )
    write(folder / "held_out.rows.jsonl", *({"n": row} for row in range(count)))
    return folder


def call(stage: Any, params: dict[str, Any], evaluator: type | None = None) -> StageCall:
    components = {}
    if evaluator is not None:
        implementation = f"{evaluator.__module__}:{evaluator.__qualname__}"
        components = {"evaluator": Component(implementation=implementation, source=source_digest(evaluator))}
    return StageCall(
        stage=stage.name,
        version=1,
        params=params,
        environment=EnvironmentRef(name="client"),
        components=components,
        label=stage.name,
        implementation="x:Y",
    )


def context(folder: Path, inputs: Mapping[str, Path], stop: bool = False) -> StageContext:
    for name in ("output", "work"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    request = StopRequest()
    request.requested = stop
    report = Reporter("score", folder / "events.jsonl")
    return StageContext(folder / "output", folder / "work", inputs, {}, report, request)


def scored(folder: Path, evaluator: type, inputs: Mapping[str, Path], **options: Any) -> list[dict[str, Any]]:
    params = {"evaluator": "any", "options": options}
    Score().run(call(Score, params, evaluator), context(folder, inputs))
    return list(read_lines(folder / "output" / "scores.jsonl"))
