"""Protocols of evaluators, which score single answers or the answers of two models in pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias

from ftrun.api.rows import Options
from ftrun.api.tool_calls import ToolCall

__all__ = ["Answer", "AnswerEvaluator", "Evaluator", "Pair", "PairEvaluator", "PairScores", "Score"]

Score: TypeAlias = tuple[float | None, str | None]  # and a short reason


class Evaluator(Protocol):
    """Component that scores single answers. The stage `evaluate` compares the scores of the base and the tuned model.

    `needs` names the input of the evaluator:

    * `predictions`: the text of each answer
    * `answers`: the text, calls, length and end of each answer; the class is an `AnswerEvaluator`
    * `pairs`: the answers of two models; the class is a `PairEvaluator`
    * `loss`: the scores of the stage `loss`
    * the name of another stage that scores rows. The labels of its calls are `STAGE:EVALUATION:base` and
      `STAGE:EVALUATION:tuned`. Its artifacts contain `scores.jsonl` with `index`, `place` and `score` of each row.

    ftrun calls `score` only for answers, not for rows that a stage has scored.

    A row that cannot be scored is unscored: it has no score, is counted, and takes no part in the comparison. `score`
    says so with the score None and a reason, or with an exception. A `ValueError` means that the row is wrong. An
    `FtrunError` means that something else failed, such as an endpoint; many of them in succession end the stage. A bad
    answer is no reason: it gets a low score.

    A class may also have a method `check_row(reference, row, options)`. ftrun calls it for each held-out row before or
    beside the training. It raises `ValueError` if the row is wrong, e.g. has no valid schema or no reference. Then the
    run ends with the places of the wrong rows, unless the recipe skips bad rows.

    An evaluator runs with the packages of the client, or in the `environment` that the class names. The secrets that
    the class names in `optional_secrets` are in its environment variables if they are set.
    """

    name: ClassVar[str]
    needs: ClassVar[str]
    higher_is_better: ClassVar[bool]

    @property
    def Options(self) -> type[Options]: ...  # noqa: N802  (a class, by the name that plugins give it)

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> Score:
        """Return the score and, if it is not the best one, a short reason. The score None leaves the row unscored.

        Raises:
            ValueError: If the row is wrong. The row is unscored, and the message is the reason.
        """
        ...


@dataclass(frozen=True)
class Answer:
    """Answer of a model.

    Args:
        text: The answer without the end of the turn. Calls of tools are lines of JSON.
        tokens: The number of tokens of the answer.
        stopped: True if the model ended the answer, false if the maximum length did.
        calls: The calls of tools, or None if ftrun does not know the format in which the model writes them.
        reference_calls: The calls of tools in the reference answer.
    """

    text: str
    tokens: int
    stopped: bool
    calls: tuple[ToolCall, ...] | None = ()
    reference_calls: tuple[ToolCall, ...] = ()


class AnswerEvaluator(Protocol):
    """Component that scores single answers by text, calls, length and end. Otherwise the same as an `Evaluator`."""

    name: ClassVar[str]
    needs: ClassVar[str]  # `answers`
    higher_is_better: ClassVar[bool]

    @property
    def Options(self) -> type[Options]: ...  # noqa: N802  (a class, by the name that plugins give it)

    def score(self, answer: Answer, reference: str, row: Mapping[str, Any], options: Any) -> Score:
        """Return the score and, if it is not the best one, a short reason. The score None leaves the row unscored.

        Raises:
            ValueError: If the row is wrong. The row is unscored, and the message is the reason.
        """
        ...


@dataclass(frozen=True)
class Pair:
    """Answers of two models to one prompt. The prompt is readable text without the special tokens of a template."""

    prompt: str
    reference: str
    base: str
    tuned: str
    row: Mapping[str, Any]


@dataclass(frozen=True)
class PairScores:
    """Scores of two answers in comparison, or None for both if the pair is unscored.

    `verdict` is a word; the evaluation counts the rows of each verdict. `judged_by` is the name of the model that
    compared the answers, if a model did.
    """

    base: float | None
    tuned: float | None
    reason: str | None = None
    verdict: str | None = None
    judged_by: str | None = None


class PairEvaluator(Protocol):
    """Component that compares the answers of two models to the same prompt. Its option `at_once` sets the threads."""

    name: ClassVar[str]
    needs: ClassVar[str]  # `pairs`
    higher_is_better: ClassVar[bool]

    @property
    def Options(self) -> type[Options]: ...  # noqa: N802  (a class, by the name that plugins give it)

    def compare(self, pair: Pair, options: Any) -> PairScores:
        """Return the scores of both answers.

        Raises:
            ValueError: If the row is wrong. The row is unscored, and the message is the reason.
        """
        ...
