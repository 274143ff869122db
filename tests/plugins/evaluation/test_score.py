"""Scores of rows, and what is made of them: means, gates, samples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ftrun.contracts import Pair, PairScores
from ftrun.errors import Refused
from ftrun.examples import Options
from ftrun.execute.context import Reporter, StageContext, Stopped, StopRequest
from ftrun.plan.call import Component, EnvironmentRef, StageCall
from ftrun.plan.digests import source_digest
from ftrun_plugins.evaluation.evaluate import Evaluate
from ftrun_plugins.evaluation.lines import Kept, lines
from ftrun_plugins.evaluation.score import Score
from ftrun_plugins.evaluators.exact_match import ExactMatch
from ftrun_plugins.evaluators.held_out_loss import HeldOutLoss


class Longer:
    """Prefers the longer answer, and counts how often it was asked."""

    name: ClassVar[str] = "longer"
    needs: ClassVar[str] = "pairs"
    higher_is_better: ClassVar[bool] = True
    at_once: ClassVar[int] = 2
    asked: ClassVar[list[str]] = []

    class Options(Options):
        """None."""

    def compare(self, pair: Pair, options: Any) -> PairScores:
        self.asked.append(pair.prompt)
        tuned = float(len(pair.tuned) > len(pair.base))
        return PairScores(1 - tuned, tuned, "its length")


def write(path: Path, *found: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in found))


def answered(folder: Path, *answers: str) -> Path:
    write(
        folder / "predictions.jsonl",
        *(
            {"index": index, "place": f"rows.jsonl:{index + 1}", "reference": "yes", "prediction": answer}
            for index, answer in enumerate(answers)
        ),
    )
    return folder


def rows(folder: Path, count: int) -> Path:
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps({"kind": "chat"}))
    turns = [{"role": "user", "content": "well?"}, {"role": "assistant", "content": "yes"}]
    write(folder / "held_out.jsonl", *({"place": f"rows.jsonl:{row + 1}", "messages": turns} for row in range(count)))
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
    return list(lines(folder / "output" / "scores.jsonl"))


def test_each_models_answers_are_scored_row_by_row(tmp_path: Path) -> None:
    inputs = {
        "base": answered(tmp_path / "b", "no", "YES"),
        "tuned": answered(tmp_path / "t", "yes", "yes"),
        "data": rows(tmp_path / "d", 2),
    }
    first, second = scored(tmp_path / "s", ExactMatch, inputs)
    assert first["base"] == {"score": 0.0, "reason": "differs from the reference", "answer": "no"}
    assert (first["tuned"]["score"], first["place"], first["reference"]) == (1.0, "rows.jsonl:1", "yes")
    assert second["base"]["score"] == 0.0
    assert scored(tmp_path / "i", ExactMatch, inputs, ignore_case=True)[1]["base"]["score"] == 1.0


def test_measured_rows_are_taken_as_they_are(tmp_path: Path) -> None:
    write(tmp_path / "b" / "losses.jsonl", {"index": 3, "place": "a:4", "loss": 2.5, "tokens": 7})
    assert scored(tmp_path / "s", HeldOutLoss, {"base": tmp_path / "b"}) == [
        {"index": 3, "place": "a:4", "base": {"score": 2.5}}
    ]


def test_pairs_are_judged_once_and_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Longer.asked.clear()
    monkeypatch.setattr("ftrun.execute.context.load", lambda implementation: Longer)
    inputs = {
        "base": answered(tmp_path / "b", "aa", "a", "a"),
        "tuned": answered(tmp_path / "t", "a", "aa", "aaa"),
        "data": rows(tmp_path / "d", 3),
    }
    first = Kept(tmp_path / "s" / "work" / "scores.jsonl") if (tmp_path / "s" / "work").mkdir(parents=True) else None
    assert first is None
    known = {"index": 1, "place": "x", "reference": "yes", "base": {"score": 9.0}, "tuned": {"score": 9.0}}
    (tmp_path / "s" / "work" / "scores.jsonl").write_text(json.dumps(known) + '\n{"index": 0, "pla')
    found = scored(tmp_path / "s", Longer, inputs)
    assert [row["index"] for row in found] == [0, 1, 2]
    assert [row["tuned"]["score"] for row in found] == [0.0, 9.0, 1.0]
    assert Longer.asked == ["user: well?"] * 2  # the one that an earlier try had judged is not asked again
    assert found[2]["tuned"] == {"score": 1.0, "reason": "its length", "answer": "aaa"}


def test_a_stop_is_heard_and_no_rows_are_told(tmp_path: Path) -> None:
    inputs = {"base": answered(tmp_path / "b", "no"), "data": rows(tmp_path / "d", 1)}
    params = {"evaluator": "any", "options": {}}
    with pytest.raises(Stopped):
        Score().run(call(Score, params, ExactMatch), context(tmp_path / "s", inputs, stop=True))
    with pytest.raises(Refused, match="no held-out rows"):
        scored(tmp_path / "e", ExactMatch, {"base": answered(tmp_path / "n"), "data": inputs["data"]})


def test_scores_are_compared_and_gates_judged(tmp_path: Path) -> None:
    inputs = {
        "base": answered(tmp_path / "b", *["no"] * 40),
        "tuned": answered(tmp_path / "t", *["yes"] * 39, "no"),
        "data": rows(tmp_path / "d", 40),
    }
    scored(tmp_path / "s", ExactMatch, inputs)
    into = context(tmp_path / "e", {"exact": tmp_path / "s" / "output"})
    Evaluate().run(call(Evaluate, {"evals": {"exact": {"min": 0.9, "min_gain_over_base": 0.99}}}), into)
    found = json.loads((into.output / "evaluation.json").read_text())["exact"]
    assert (found["evaluator"], found["rows"], found["base"], found["tuned"]) == ("exact_match", 40, 0.0, 0.975)
    assert found["verdict"] == "better"
    assert [gate.met for gate in into.report.gates] == [True, False]
    samples = list(lines(into.output / "samples.jsonl"))
    assert len(samples) == 39
    assert samples[0]["tuned"] == {"score": 1.0, "reason": None, "answer": "yes"}


def test_a_run_that_trains_nothing_has_the_base_alone(tmp_path: Path) -> None:
    inputs = {"base": answered(tmp_path / "b", "yes", "no"), "data": rows(tmp_path / "d", 2)}
    scored(tmp_path / "s", ExactMatch, inputs)
    into = context(tmp_path / "e", {"exact": tmp_path / "s" / "output"})
    Evaluate().run(call(Evaluate, {"evals": {"exact": {"min": 0.6}}}), into)
    found = json.loads((into.output / "evaluation.json").read_text())["exact"]
    assert (found["base"], "tuned" in found, into.report.gates[0].met) == (0.5, False, False)
