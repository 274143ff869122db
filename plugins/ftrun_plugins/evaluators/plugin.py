"""Registers the evaluators and the stages that evaluate."""

from __future__ import annotations

from collections.abc import Callable

from ftrun import hookimpl
from ftrun.api.evaluators import AnswerEvaluator, Evaluator, PairEvaluator
from ftrun.api.stages import Stage
from ftrun_plugins.evaluation.evaluate import Evaluate
from ftrun_plugins.evaluation.generate import Generate
from ftrun_plugins.evaluation.lm_eval import LmEvalStage
from ftrun_plugins.evaluation.loss import Loss
from ftrun_plugins.evaluation.score import Score
from ftrun_plugins.evaluators.bleu import Bleu
from ftrun_plugins.evaluators.chrf import Chrf
from ftrun_plugins.evaluators.exact_match import ExactMatch
from ftrun_plugins.evaluators.held_out_loss import HeldOutLoss
from ftrun_plugins.evaluators.json_schema import JsonSchema
from ftrun_plugins.evaluators.judge import Judge
from ftrun_plugins.evaluators.length_and_stop import LengthAndStop
from ftrun_plugins.evaluators.lm_eval import LmEval
from ftrun_plugins.evaluators.regex import Regex
from ftrun_plugins.evaluators.rouge import Rouge
from ftrun_plugins.evaluators.sql_execution import SqlExecution


@hookimpl
def ftrun_register_evaluators(
    register: Callable[[type[Evaluator | AnswerEvaluator | PairEvaluator]], None],
) -> None:
    for evaluator in (
        HeldOutLoss,
        ExactMatch,
        SqlExecution,
        Rouge,
        Bleu,
        Chrf,
        JsonSchema,
        Regex,
        LengthAndStop,
        Judge,
        LmEval,
    ):
        register(evaluator)


@hookimpl
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    for stage in (Generate, Loss, LmEvalStage, Score, Evaluate):
        register(stage)
