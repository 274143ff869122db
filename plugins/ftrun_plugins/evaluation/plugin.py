"""Registration of the evaluators and of the stages that evaluate models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ftrun.api.consent import ConsentItem
    from ftrun.api.evaluators import AnswerEvaluator, Evaluator, PairEvaluator
    from ftrun.api.issues import Issue
    from ftrun.api.recipe import Recipe
    from ftrun.api.stages import Stage


@hookimpl
def ftrun_register_evaluators(
    register: Callable[[type[Evaluator | AnswerEvaluator | PairEvaluator]], None],
) -> None:
    from ftrun_plugins.evaluation.metrics.bleu import Bleu
    from ftrun_plugins.evaluation.metrics.chrf import Chrf
    from ftrun_plugins.evaluation.metrics.exact_match import ExactMatch
    from ftrun_plugins.evaluation.metrics.held_out_loss import HeldOutLoss
    from ftrun_plugins.evaluation.metrics.json_schema import JsonSchema
    from ftrun_plugins.evaluation.metrics.judge import Judge
    from ftrun_plugins.evaluation.metrics.length_and_stop import LengthAndStop
    from ftrun_plugins.evaluation.metrics.lm_eval import LmEval
    from ftrun_plugins.evaluation.metrics.regex import Regex
    from ftrun_plugins.evaluation.metrics.rouge import Rouge
    from ftrun_plugins.evaluation.metrics.sql_execution import SqlExecution
    from ftrun_plugins.evaluation.metrics.tool_call import ToolCallMatch

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
        ToolCallMatch,
        Judge,
        LmEval,
    ):
        register(evaluator)


@hookimpl
def ftrun_check_recipe(recipe: Recipe) -> Iterable[Issue]:
    from ftrun_plugins.evaluation.lm_eval.check import check_task_files
    from ftrun_plugins.evaluation.metrics.judge_check import check_labels

    return [*check_task_files(recipe), *check_labels(recipe)]


@hookimpl
def ftrun_consent_items(recipe: Recipe) -> Iterable[ConsentItem]:
    from ftrun_plugins.evaluation.consent import find_items

    return list(find_items(recipe))


@hookimpl
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    from ftrun_plugins.evaluation.evaluate.stage import Evaluate
    from ftrun_plugins.evaluation.generate.stage import Generate
    from ftrun_plugins.evaluation.lm_eval.stage import LmEvalStage
    from ftrun_plugins.evaluation.loss.stage import Loss
    from ftrun_plugins.evaluation.score.stage import Score

    for stage in (Generate, Loss, LmEvalStage, Score, Evaluate):
        register(stage)
