"""The stage `lm_eval`: a model's score on each document of a task of lm-evaluation-harness, asked by vLLM.

scores.jsonl   by document: index, place (`gsm8k:12`, as the harness counts), score
score.json     the metric, and whether more of it is better
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Frozen
from ftrun_plugins.evaluation.candidates import calls_for_each, template_of
from ftrun_plugins.evaluation.lm_eval.task_file import TaskFile
from ftrun_plugins.serving.vllm_support import vllm_obstacle

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall
    from ftrun.planning.planner import Planner


class Params(Frozen):
    """The task, how it is asked, and by what."""

    task: str | dict[str, Any]  # its name, or what its file says
    downloads: bool  # whether its data are on the hub
    metric: str | None
    num_fewshot: int | None
    limit: int | None
    apply_chat_template: bool | None
    max_tokens: int | None
    trusts_task: bool
    accelerator: Literal["cpu", "gpu"]
    gpus: int
    trust_remote_code: bool  # of the model


class LmEvalStage:
    """For each evaluation one call for the base model and one for the tuned."""

    name: ClassVar[str] = "lm_eval"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "server_cpu"
    other_environments: ClassVar[tuple[str, ...]] = ("server",)

    def plan(self, recipe: Recipe, planning: Planner) -> Sequence[StageCall]:
        evaluators = planning.plugins.of_kind("evaluator")
        return [
            call
            for name, evaluation in recipe.evals.items()
            if evaluators[evaluation.evaluator].cls.needs == self.name
            for call in self._calls(name, evaluators[evaluation.evaluator].cls, recipe, planning)
        ]

    def _calls(self, name: str, evaluator: Any, recipe: Recipe, planning: Planner) -> Iterator[StageCall]:
        if not planning.backend.remote and (reason := vllm_obstacle()):
            raise InvalidInput(
                Problem(
                    "unsupported-machine",
                    f"lm_eval asks vLLM: {reason}",
                    f"evals.{name}",
                    hint="leave this evaluation out",
                )
            )
        options = evaluator.Options.model_validate(recipe.evals[name].options)
        task, files, downloads = options.task, dict[str, Path](), True
        if options.task_file:
            read = TaskFile(options.task_file, options.trust_remote_code, planning.digests.file)
            task, files, downloads = read.config, read.files, not read.is_local
        hardware = planning.hardware(self.name)
        gpus = (recipe.resources_of(self.name).gpus or 1) if hardware.accelerator == "gpu" else 0
        params = Params(
            task=task,
            downloads=downloads,
            trusts_task=options.trust_remote_code,
            accelerator=hardware.accelerator,
            gpus=gpus,
            trust_remote_code=recipe.model.trust_remote_code,
            **options.model_dump(include={"metric", "num_fewshot", "limit", "apply_chat_template", "max_tokens"}),
        )
        yield from calls_for_each(
            self,
            params,
            planning,
            hardware,
            template_of(recipe, planning),
            suffix=name,
            gpus=gpus,
            environment="server" if hardware.accelerator == "gpu" else self.environment,
            files=files,
            optional_secrets=("huggingface",) if downloads else (),
            preloaded=False,  # the harness sets variables that its libraries read when they are imported
        )

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.evaluation.lm_eval.worker import measure

        measure(Params.model_validate(call.params), context)
