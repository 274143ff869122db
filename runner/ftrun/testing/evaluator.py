"""What every evaluator has to keep to."""

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
from ftrun.testing import fuzz_inputs
from ftrun.testing.component import ComponentContract, assert_one_line

SCORED = ("predictions", "answers", "pairs")  # what an evaluator `needs` that scores by itself
# What a model may answer that nobody thought of.
ANSWERS = (
    "", " ", "\n\n", "\x00", "NaN", "null", "{", "[" * 50_000, '{"a":' * 50_000, "```", "```json\n{}\n```",
    "a" * 100_000, "(" * 2_000, "a b " * 20_000, "\u202eevil", "\ud7ff\U0010ffff", "1e999", "'; DROP TABLE t; --",
    "\\" * 501, "%s{}",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A held-out row with its reference and, where that is not as good as can be, a right answer."""

    reference: str
    row: Mapping[str, Any] = field(default_factory=dict)
    answer: str | None = None

    @property
    def right(self) -> str:
        return self.reference if self.answer is None else self.answer


class EvaluatorContract(ComponentContract):
    """Inherit it as `TestX`, and set `evaluator`; `cases` and `best` where it scores answers itself.

    Args:
        evaluator: The class.
        options: The options that the cases are scored with.
        cases: Rows with right answers: the reference, or `answer`.
        best: The score of a right answer; None for one that compares pairs.
        lowest, highest: Between which all scores lie.
        bad_rows: Rows that are themselves at fault, which a `ValueError` tells.
        requires: Modules of the evaluator's environment: what scores is skipped where they are not installed.
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
        """Asked for by tests that score: they need what the evaluator's environment has."""
        if self.evaluator.needs not in SCORED:
            pytest.skip(f"the stage `{self.evaluator.needs}` scores")
        assert self.cases, "the contract needs at least one case"
        missing = [module for module in self.requires if importlib.util.find_spec(module) is None]
        if missing:
            pytest.skip(f"{', '.join(missing)}: only in the environment {self.evaluator.environment}")

    def scored(self, answer: str, case: Case, stopped: bool = True) -> list[float]:
        """The scores that the evaluator gives, checked: one, or two of a pair."""
        options, row = self.made_options(), copy.deepcopy(dict(case.row))
        evaluator = self.evaluator()
        if self.evaluator.needs == "pairs":
            found = evaluator.compare(Pair("prompt", case.reference, answer, case.right, row), options)
            assert isinstance(found, PairScores), f"it returned {type(found).__name__}, not PairScores"
            scores, reason = [found.base, found.tuned], found.reason
        else:
            given = Answer(answer, len(answer.split()), stopped) if self.evaluator.needs == "answers" else answer
            score, reason = evaluator.score(given, case.reference, row, options)
            scores = [score]
        assert row == dict(case.row), "the row was changed"
        for score in scores:
            assert isinstance(score, int | float), f"the score is {type(score).__name__}"
            assert math.isfinite(score), f"the score is {score}"
            assert self.lowest <= score <= self.highest, f"{score} is not between {self.lowest} and {self.highest}"
        if reason is not None:
            assert_one_line(reason, "the reason")
        return [float(score) for score in scores]

    def test_it_says_what_it_needs(self) -> None:
        assert isinstance(self.evaluator.needs, str)
        assert isinstance(self.evaluator.higher_is_better, bool)
        assert getattr(self.evaluator, "environment", "client") in ("client", "server_cpu")
        if self.evaluator.needs == "pairs":
            assert "at_once" in self.evaluator.Options.model_fields, "pairs are compared in `at_once` threads"

    def test_a_right_answer_has_the_best_score(self, scoring: None) -> None:
        for case in self.cases:
            scores = self.scored(case.right, case)
            assert self.best is None or scores == [pytest.approx(self.best)], f"{case.right!r} scores {scores}"

    def test_a_score_is_the_same_again(self, scoring: None) -> None:
        for case in self.cases:
            for answer in (case.right, "something else"):
                assert self.scored(answer, case) == self.scored(answer, case), f"another score of {answer!r}"

    def test_no_answer_makes_it_raise(self, scoring: None) -> None:
        """An answer is the model's: it scores badly, but an error would end the run."""
        for answer in ANSWERS:
            self._takes(answer)

    @given(answer=st.text())
    @fuzz_inputs.QUIETLY
    def test_no_text_makes_it_raise(self, scoring: None, answer: str) -> None:
        self._takes(answer)

    def _takes(self, answer: str) -> None:
        for case in self.cases:
            try:
                self.scored(answer, case, stopped=len(answer) % 2 == 0)
            except AssertionError:
                raise
            except Exception as error:  # any is a fault
                pytest.fail(f"it raises {type(error).__name__}: {error}, of the answer {answer[:200]!r}")

    def test_a_row_at_fault_is_told(self, scoring: None) -> None:
        for case in self.bad_rows:
            with pytest.raises(ValueError) as told:  # noqa: PT011  (each says another thing)
                self.scored(case.right, case)
            assert_one_line(str(told.value), "what is told of the row")
