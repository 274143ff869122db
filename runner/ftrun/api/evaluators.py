"""What scores answers: one by one, or those of two models in pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from ftrun.api.rows import Options


class Evaluator(Protocol):
    """Scores one answer; the stage `evaluate` compares base and tuned model.

    What it `needs` is `predictions`, or `answers` (an `AnswerEvaluator`), or `pairs` (a `PairEvaluator`), or `loss`, or
    another stage that measures rows: one whose calls are labelled `STAGE:EVALUATION:base` and `…:tuned`, and publish
    `scores.jsonl`, by row its `index`, `place` and `score`. Those that need no answers have nothing to do in `score`.

    It runs with the client's packages, or in the `environment` that it names; it finds the secrets in its
    `optional_secrets` in its environment variables, where they are set.
    """

    name: ClassVar[str]
    needs: ClassVar[str]
    higher_is_better: ClassVar[bool]

    @property
    def Options(self) -> type[Options]: ...  # noqa: N802  (a class, by the name that plugins give it)

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """The score and, where it is not the best, a short reason. Raises `ValueError` where the row is at fault."""
        ...


@dataclass(frozen=True)
class Answer:
    """A model's answer, how many tokens it is long, and whether the model ended it by itself."""

    text: str
    tokens: int
    stopped: bool


class AnswerEvaluator(Protocol):
    """Scores one answer by more than what it says; all else is as with an `Evaluator`."""

    name: ClassVar[str]
    needs: ClassVar[str]  # `answers`
    higher_is_better: ClassVar[bool]

    @property
    def Options(self) -> type[Options]: ...  # noqa: N802  (a class, by the name that plugins give it)

    def score(
        self, answer: Answer, reference: str, row: Mapping[str, Any], options: Any
    ) -> tuple[float, str | None]: ...


@dataclass(frozen=True)
class Pair:
    """Two models' answers to one prompt, which is text for a reader, without a template's marks."""

    prompt: str
    reference: str
    base: str
    tuned: str
    row: Mapping[str, Any]


@dataclass(frozen=True)
class PairScores:
    """What each of two answers is worth beside the other; `verdict` is a word by which rows are counted."""

    base: float
    tuned: float
    reason: str | None = None
    verdict: str | None = None


class PairEvaluator(Protocol):
    """Compares the two models' answers to the same prompt, in threads: `at_once` of its options at one time."""

    name: ClassVar[str]
    needs: ClassVar[str]  # `pairs`
    higher_is_better: ClassVar[bool]

    @property
    def Options(self) -> type[Options]: ...  # noqa: N802  (a class, by the name that plugins give it)

    def compare(self, pair: Pair, options: Any) -> PairScores:
        """The scores. Raises `ValueError` where the row is at fault."""
        ...
