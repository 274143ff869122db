"""Contract of evaluators."""

from __future__ import annotations

import copy
import importlib.util
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun.api.evaluators import Answer, Pair, PairScores
from ftrun.api.tool_calls import ToolCall
from ftrun.testing import fuzz_inputs
from ftrun.testing.component import ComponentContract, assert_one_line

SCORING_NEEDS = ("predictions", "answers", "pairs")  # values of `needs` of evaluators that score answers themselves
UNUSUAL_ANSWERS = (
    "", " ", "\n\n", "\x00", "NaN", "null", "{", "[" * 50_000, '{"a":' * 50_000, "```", "```json\n{}\n```",
    "a" * 100_000, "(" * 2_000, "a b " * 20_000, "\u202eevil", "\ud7ff\U0010ffff", "1e999", "'; DROP TABLE t; --",
    "\\" * 501, "%s{}",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A held-out row with its reference, and a right answer if the reference does not get the best score.

    `calls` are the calls of tools of the reference and of a right answer.
    """

    reference: str
    row: Mapping[str, Any] = field(default_factory=dict)
    answer: str | None = None
    calls: tuple[ToolCall, ...] = ()

    @property
    def right_answer(self) -> str:
        return self.reference if self.answer is None else self.answer


class EvaluatorContract(ComponentContract):
    """Contract tests of an evaluator. Inherit as `TestX`, and set `evaluator`.

    If the evaluator scores answers itself, also set `cases` and `best`.

    Args:
        evaluator: The class under test.
        options: The options with which the cases are scored.
        cases: Rows with right answers: the reference, or `answer`.
        best: The score of a right answer, or None if the evaluator compares pairs.
        lowest, highest: The range of all scores.
        bad_rows: Rows that are invalid, for which the evaluator must raise a `ValueError`, or return the score None
            with a reason.
        requires: Modules that scoring requires. If one is not installed, the tests that score are skipped.
    """

    kind = "evaluator"
    evaluator: ClassVar[type[Any]]
    cases: ClassVar[Sequence[Case]] = ()
    best: ClassVar[float | None] = 1.0
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0
    bad_rows: ClassVar[Sequence[Case]] = ()
    requires: ClassVar[Sequence[str]] = ()

    @pytest.fixture
    def scoring(self) -> None:
        """Skip a test that scores if the evaluator does not score or a required module is missing."""
        if self.evaluator.needs not in SCORING_NEEDS:
            pytest.skip(f"the stage `{self.evaluator.needs}` computes the scores")
        assert self.cases, "the contract needs at least one case"
        missing = [module for module in self.requires if importlib.util.find_spec(module) is None]
        if missing:
            pytest.skip(f"requires {', '.join(missing)} of the environment `{self.evaluator.environment}`")

    def score(self, answer: str, case: Case, stopped: bool = True) -> list[float]:
        """Score an answer, validate the result and return the scores: one, or two for a pair.

        Raises:
            ValueError: If the row is wrong, or unscored.
        """
        options, row = self.make_options(), copy.deepcopy(dict(case.row))
        evaluator = self.evaluator()
        if self.evaluator.needs == "pairs":
            result = evaluator.compare(Pair("prompt", case.reference, answer, case.right_answer, row), options)
            assert isinstance(result, PairScores), f"it returned {type(result).__name__}, not PairScores"
            scores, reason = [result.base, result.tuned], result.reason
        else:
            calls = case.calls if answer == case.right_answer else ()
            whole = Answer(answer, len(answer.split()), stopped, calls, case.calls)
            parameter = whole if self.evaluator.needs == "answers" else answer
            score, reason = evaluator.score(parameter, case.reference, row, options)
            scores = [score]
        assert row == dict(case.row), "the evaluator changed the row"
        if None in scores:
            assert reason, "an unscored row needs a reason"
            assert set(scores) == {None}, "a pair has two scores or none"
            raise ValueError(reason)
        for score in scores:
            assert isinstance(score, int | float), f"the score is {type(score).__name__}"
            assert math.isfinite(score), f"the score is {score}"
            assert self.lowest <= score <= self.highest, f"{score} is not between {self.lowest} and {self.highest}"
        if reason is not None:
            assert_one_line(reason, "the reason")
        return [float(score) for score in scores if score is not None]

    def test_its_attributes_are_valid(self) -> None:
        assert isinstance(self.evaluator.needs, str)
        assert isinstance(self.evaluator.higher_is_better, bool)
        assert getattr(self.evaluator, "environment", "client") in ("client", "server_cpu")
        if self.evaluator.needs == "pairs":
            assert "at_once" in self.evaluator.Options.model_fields, (
                "an evaluator of pairs requires the option `at_once`, the number of threads"
            )

    def test_a_right_answer_has_the_best_score(self, scoring: None) -> None:
        for case in self.cases:
            scores = self.score(case.right_answer, case)
            assert self.best is None or scores == [pytest.approx(self.best)], f"{case.right_answer!r} scores {scores}"

    def test_a_second_score_is_the_same(self, scoring: None) -> None:
        for case in self.cases:
            for answer in (case.right_answer, "something else"):
                assert self.score(answer, case) == self.score(answer, case), (
                    f"the score of {answer!r} changes between two calls"
                )

    def test_it_scores_any_answer(self, scoring: None) -> None:
        """A bad answer must get a low score: an unscored row takes no part in the comparison."""
        for answer in UNUSUAL_ANSWERS:
            self._assert_scores(answer)

    @given(answer=st.text())
    @fuzz_inputs.SETTINGS
    def test_it_scores_any_text(self, scoring: None, answer: str) -> None:
        self._assert_scores(answer)

    def _assert_scores(self, answer: str) -> None:
        for case in self.cases:
            try:
                self.score(answer, case, stopped=len(answer) % 2 == 0)
            except AssertionError:
                raise
            except Exception as error:  # no exception is allowed
                pytest.fail(f"it raises {type(error).__name__}: {error}, for the answer {answer[:200]!r}")

    def test_a_bad_row_raises_value_error(self, scoring: None) -> None:
        for case in self.bad_rows:
            with pytest.raises(ValueError) as caught:  # noqa: PT011  (messages differ between evaluators)
                self.score(case.right_answer, case)
            assert_one_line(str(caught.value), "the error message")

    def test_its_check_of_rows_agrees_with_its_scores(self, scoring: None) -> None:
        evaluator, options = self.evaluator(), self.make_options()
        if not hasattr(evaluator, "check_row"):
            return
        for case in self.cases:
            evaluator.check_row(case.reference, case.row, options)
        for case in self.bad_rows:
            with pytest.raises(ValueError):  # noqa: PT011  (messages differ between evaluators)
                evaluator.check_row(case.reference, case.row, options)
