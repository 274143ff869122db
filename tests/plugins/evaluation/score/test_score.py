"""Scores of rows, and what is made of them: means, gates, samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ftrun.api.context import Stopped
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.evaluators import Pair, PairScores
from ftrun.api.rows import Options
from ftrun.utils.jsonl import read_lines
from ftrun_plugins.evaluation.evaluate.stage import Evaluate
from ftrun_plugins.evaluation.metrics.exact_match import ExactMatch
from ftrun_plugins.evaluation.metrics.held_out_loss import HeldOutLoss
from ftrun_plugins.evaluation.metrics.length_and_stop import LengthAndStop
from ftrun_plugins.evaluation.metrics.tool_call import ToolCallMatch
from ftrun_plugins.evaluation.resumable_jsonl import ResumableJsonl
from ftrun_plugins.evaluation.score.stage import Score
from helpers.score_stage import answered, call, context, rows, scored, write


class Longer:
    """Prefers the longer answer, and counts how often it was asked."""

    name: ClassVar[str] = "longer"
    needs: ClassVar[str] = "pairs"
    higher_is_better: ClassVar[bool] = True
    asked: ClassVar[list[str]] = []

    class Options(Options):
        """How many threads."""

        at_once: int = 2

    def compare(self, pair: Pair, options: Any) -> PairScores:
        self.asked.append(pair.prompt)
        tuned = float(len(pair.tuned) > len(pair.base))
        if pair.base == "unreadable":
            raise ValueError("it cannot be read")
        return PairScores(1 - tuned, tuned, "its length", verdict="tuned" if tuned else "base")


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
    monkeypatch.setattr("ftrun.api.context.load", lambda implementation: Longer)
    inputs = {
        "base": answered(tmp_path / "b", "aa", "a", "a"),
        "tuned": answered(tmp_path / "t", "a", "aa", "aaa"),
        "data": rows(tmp_path / "d", 3),
    }
    first = (
        ResumableJsonl(tmp_path / "s" / "work" / "scores.jsonl")
        if (tmp_path / "s" / "work").mkdir(parents=True)
        else None
    )
    assert first is None
    known = {"index": 1, "place": "x", "reference": "yes", "base": {"score": 9.0}, "tuned": {"score": 9.0}}
    (tmp_path / "s" / "work" / "scores.jsonl").write_text(json.dumps(known) + '\n{"index": 0, "pla')
    found = scored(tmp_path / "s", Longer, inputs)
    assert [row["index"] for row in found] == [0, 1, 2]
    assert [row["tuned"]["score"] for row in found] == [0.0, 9.0, 1.0]
    assert Longer.asked == ["user: well?"] * 2  # the one that an earlier try had judged is not asked again
    assert found[2]["tuned"] == {"score": 1.0, "reason": "its length", "answer": "aaa"}
    assert [row.get("verdict") for row in found] == ["base", None, "tuned"]


class Picky:
    """Fails on some answers, each in another way; scores the others with 1."""

    name: ClassVar[str] = "picky"
    needs: ClassVar[str] = "predictions"
    higher_is_better: ClassVar[bool] = True
    Options = Options

    def score(self, prediction: str, reference: str, row: Any, options: Any) -> Any:
        match prediction:
            case "wrong row":
                raise ValueError("it cannot\nbe read")
            case "no score":
                return None, "nothing to score"
            case "nan":
                return float("nan"), None
            case "bug":
                raise KeyError("column")
            case "no pair":
                return 1.0
            case "gone":
                raise InvalidInput(Problem("endpoint-failed", "it is gone", "http://example.com"))
        return 1.0, None


FAILING = ("wrong row", "no score", "nan", "bug", "no pair", "gone")


def picky(tmp_path: Path, *answers: str) -> dict[str, Path]:
    return {
        "base": answered(tmp_path / "b", *["fine"] * len(answers)),
        "tuned": answered(tmp_path / "t", *answers),
        "data": rows(tmp_path / "d", len(answers)),
    }


def test_a_row_that_cannot_be_scored_is_unscored_and_counted(tmp_path: Path) -> None:
    found = scored(tmp_path / "s", Picky, picky(tmp_path, *FAILING, "fine"))
    assert [row["base"]["score"] for row in found] == [1.0] * 7
    assert [row["tuned"]["score"] for row in found] == [None] * 6 + [1.0]
    reasons = [row["tuned"]["reason"] for row in found[:-1]]
    assert reasons[:2] == ["it cannot be read", "nothing to score"]
    assert all(reasons)
    metric = list(read_lines(tmp_path / "s" / "events.jsonl"))[-1]
    assert (metric["rows"], metric["unscored"], metric["base"], metric["tuned"]) == (7, 6, 1.0, 1.0)


def test_unscored_rows_take_no_part_in_the_comparison(tmp_path: Path) -> None:
    scored(tmp_path / "s", Picky, picky(tmp_path, *FAILING, "fine", "fine"))
    into = context(tmp_path / "e", {"picky": tmp_path / "s" / "output"})
    Evaluate().run(call(Evaluate, {"evals": {"picky": {}}}), into)
    found = json.loads((into.output / "evaluation.json").read_text())["picky"]
    assert (found["rows"], found["unscored"], found["base"], found["tuned"]) == (2, len(FAILING), 1.0, 1.0)


def test_if_no_row_is_scored_the_stage_fails_with_the_reasons(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        scored(tmp_path / "s", Picky, picky(tmp_path, "no score", "wrong row", "wrong row", "gone"))
    problems = refused.value.problems
    assert [problem.code for problem in problems] == ["unscored", "unscored", "endpoint-failed"]
    assert [problem.at for problem in problems] == ["rows.jsonl:2, rows.jsonl:3", "rows.jsonl:1", "http://example.com"]


def test_an_endpoint_that_is_gone_ends_the_stage(tmp_path: Path) -> None:
    """A later attempt continues, so waiting for the timeout of each row would be a waste."""
    answers = ["fine", *["gone", "fine"] * 30]
    scored(tmp_path / "s", Picky, picky(tmp_path, *answers))
    again = tmp_path / "again"
    again.mkdir()
    inputs = picky(again, *["fine"] * 3, *["gone"] * 50)
    del inputs["base"]
    with pytest.raises(InvalidInput) as refused:
        scored(again / "s", Picky, inputs)
    assert refused.value.problems[0].code == "endpoint-failed"


def test_an_unscored_pair_is_scored_again_by_a_later_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Longer.asked.clear()
    monkeypatch.setattr("ftrun.api.context.load", lambda implementation: Longer)
    inputs = {
        "base": answered(tmp_path / "b", "a", "unreadable"),
        "tuned": answered(tmp_path / "t", "aa", "aa"),
        "data": rows(tmp_path / "d", 2),
    }
    for asked in (2, 3):
        first, second = scored(tmp_path / "s", Longer, inputs)
        assert (first["base"]["score"], first["tuned"]["score"]) == (0.0, 1.0)
        assert (second["base"]["score"], second["tuned"]["score"]) == (None, None)
        assert (second["place"], second["tuned"]["reason"]) == ("rows.jsonl:2", "it cannot be read")
        assert len(Longer.asked) == asked


def test_an_answer_that_the_maximum_length_cut_is_marked(tmp_path: Path) -> None:
    inputs = {"base": answered(tmp_path / "b", "yes", "yes"), "data": rows(tmp_path / "d", 2)}
    lines = list(read_lines(tmp_path / "b" / "predictions.jsonl"))
    write(tmp_path / "b" / "predictions.jsonl", {**lines[0], "stopped": False}, lines[1])
    first, second = scored(tmp_path / "s", ExactMatch, inputs)
    assert (first["base"]["cut"], "cut" in second["base"]) == (True, False)
    assert list(read_lines(tmp_path / "s" / "events.jsonl"))[-1]["cut"] == {"base": 1}


def test_a_stage_that_measures_rows_may_leave_some_unscored(tmp_path: Path) -> None:
    lines = (
        {"index": 0, "place": "a:1", "loss": 2.5},
        {"index": 1, "place": "a:2", "loss": None, "reason": "no tokens"},
    )
    write(tmp_path / "b" / "losses.jsonl", *lines)
    found = scored(tmp_path / "s", HeldOutLoss, {"base": tmp_path / "b"})
    assert [row["base"]["score"] for row in found] == [2.5, None]
    assert found[1]["base"]["reason"] == "no tokens"


def test_an_evaluator_of_whole_answers_sees_how_they_ended(tmp_path: Path) -> None:
    inputs = {"base": answered(tmp_path / "b", "one two", "three"), "data": rows(tmp_path / "d", 2)}
    first, second = scored(tmp_path / "s", LengthAndStop, inputs, max_tokens=1)
    assert first["base"] == {"score": 0.0, "reason": "has 2 tokens, more than 1", "answer": "one two"}
    assert second["base"] == {"score": 1.0, "reason": None, "answer": "three"}


def test_a_stop_is_heard_and_no_rows_are_told(tmp_path: Path) -> None:
    inputs = {"base": answered(tmp_path / "b", "no"), "data": rows(tmp_path / "d", 1)}
    params = {"evaluator": "any", "options": {}}
    with pytest.raises(Stopped):
        Score().run(call(Score, params, ExactMatch), context(tmp_path / "s", inputs, stop=True))
    with pytest.raises(InvalidInput) as refused:
        scored(tmp_path / "e", ExactMatch, {"base": answered(tmp_path / "n"), "data": inputs["data"]})
    assert refused.value.problems[0].code == "no-rows"


def test_calls_of_tools_reach_the_evaluator_as_they_are(tmp_path: Path) -> None:
    call_of_ada, inputs = {"name": "find", "arguments": {"name": "Ada"}}, picky(tmp_path, "a", "b", "c")
    lines = list(read_lines(tmp_path / "t" / "predictions.jsonl"))
    calls: list[dict[str, Any]] = [{"calls": [call_of_ada]}, {"calls": []}, {"calls": None, "error": "not readable"}]
    with_calls = ({**line, **more, "reference_calls": [call_of_ada]} for line, more in zip(lines, calls, strict=True))
    write(tmp_path / "t" / "predictions.jsonl", *with_calls)
    found = scored(tmp_path / "s", ToolCallMatch, {"tuned": inputs["tuned"], "data": inputs["data"]})
    assert [row["tuned"]["score"] for row in found] == [1.0, 0.0, None]
    assert found[2]["tuned"]["reason"] == "not readable"
    again = scored(tmp_path / "x", ExactMatch, {"tuned": inputs["tuned"], "data": inputs["data"]})
    assert [row["tuned"]["score"] for row in again] == [0.0, 0.0, None]  # neither can its text be compared
