"""Stage `lm_eval`: scores of a model on the documents of a task of lm-evaluation-harness, with vLLM as engine.

scores.jsonl   by document: index, place (such as `gsm8k:12`, with the number of the document in the harness), score
score.json     the metric, and whether higher values are better
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.planner import CallRequest
from ftrun_plugins.evaluation.candidates import plan_candidate_calls, template_input
from ftrun_plugins.evaluation.lm_eval.params import Params
from ftrun_plugins.evaluation.lm_eval.task_file import TaskFile
from ftrun_plugins.serving.vllm_support import vllm_obstacle

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall


class LmEvalStage:
    """Stage with two calls per evaluation: one for the base model and one for the tuned model."""

    name: ClassVar[str] = "lm_eval"
    version: ClassVar[int] = 2
    environment: ClassVar[str] = "server_cpu"
    other_environments: ClassVar[tuple[str, ...]] = ("server",)
    resumable: ClassVar[tuple[str, ...]] = ("*.jsonl",)  # answers, one file per kind of request
    known_errors: ClassVar[str] = "ftrun_plugins.known_errors:KNOWN_ERRORS"

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        evaluators = {name: planner.registered("evaluator", item.evaluator) for name, item in recipe.evals.items()}
        return [
            call
            for name, evaluator in evaluators.items()
            if evaluator.needs == self.name
            for call in self._plan_calls(name, evaluator, recipe, planner)
        ]

    def _plan_calls(self, name: str, evaluator: Any, recipe: Recipe, planner: Planner) -> Iterator[StageCall]:
        if not planner.is_remote and (reason := vllm_obstacle()):
            raise InvalidInput(
                Problem(
                    "unsupported-machine",
                    f"`lm_eval` needs vLLM: {reason}",
                    f"evals.{name}",
                    hint="remove this evaluation",
                )
            )
        options = evaluator.Options.model_validate(recipe.evals[name].options)
        task, files, downloads = options.task, dict[str, Path](), True
        if options.task_file:
            task_file = TaskFile(options.task_file, options.trust_remote_code, planner.digests.file)
            task, files, downloads = task_file.config, task_file.files, not task_file.is_local
        hardware = planner.hardware(self.name)
        params = Params(
            task=task,
            downloads=downloads,
            trusts_task=options.trust_remote_code,
            accelerator=hardware.accelerator,
            gpus=planner.gpus(self.name),
            trust_remote_code=recipe.model.trust_remote_code,
            template={} if options.apply_chat_template is False else planner.trainer_config.template,
            **options.model_dump(include={"metric", "num_fewshot", "limit", "apply_chat_template", "max_tokens"}),
        )
        request = CallRequest(
            params,
            inputs=template_input(planner),
            environment="server" if hardware.accelerator == "gpu" else self.environment,
            files=files,
            optional_secrets=("huggingface",) if downloads else (),
            gpus=params.gpus,
            preloaded=False,  # the harness sets variables that its libraries read at import
        )
        yield from plan_candidate_calls(self, planner, request, suffix=name)

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.evaluation.lm_eval.worker import measure

        measure(Params.model_validate(call.params), context)
