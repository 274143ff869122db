"""Stage `generate`: answers of a model to the held-out prompts. All models get the same prompts and sampling.

predictions.jsonl   by row: index, place, reference, the answer as text and as token ids, the calls of tools of both,
                    the token ids of the prompt, and a flag that is true if the model ended the answer
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from ftrun.api.artifacts import Answers
from ftrun.api.planner import CallRequest
from ftrun_plugins.evaluation.candidates import ANSWERS, is_needed, plan_candidate_calls, template_input
from ftrun_plugins.evaluation.generate.params import Params
from ftrun_plugins.serving.vllm_support import vllm_obstacle

if TYPE_CHECKING:
    from ftrun.api.backends import Hardware
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall


class Generate:
    """Stage with one call for the base model and one for the tuned model."""

    name: ClassVar[str] = "generate"
    version: ClassVar[int] = 6
    environment: ClassVar[str] = "server_cpu"
    other_environments: ClassVar[tuple[str, ...]] = ("server", "trainer")
    resumable: ClassVar[tuple[str, ...]] = (Answers.ROWS,)
    known_errors: ClassVar[str] = "ftrun_plugins.known_errors:KNOWN_ERRORS"

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        data = planner.find("format")
        if data is None or not is_needed(ANSWERS, planner):
            return []
        hardware = planner.hardware(self.name)
        engine, notes = _choose_engine(recipe, planner)
        sampling = recipe.generate.model_dump(exclude={"engine"})
        if engine == "vllm":
            sampling["batch_size"] = None
        params = Params(
            **sampling,
            engine=engine,
            accelerator=hardware.accelerator,
            gpus=planner.gpus(self.name),
            trust_remote_code=recipe.model.trust_remote_code,
            template=planner.trainer_config.template,
            tool_parser=recipe.serve.tool_parser,
        )
        request = CallRequest(
            params,
            inputs={"data": data, **template_input(planner)},
            environment=_choose_environment(engine, hardware),
            notes=notes,
            gpus=params.gpus,
            preloaded=True,
        )
        return plan_candidate_calls(self, planner, request)

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.evaluation.generate.worker import generate

        generate(Params.model_validate(call.params), context)


def _choose_engine(recipe: Recipe, planner: Planner) -> tuple[Literal["vllm", "transformers"], tuple[str, ...]]:
    """Return the engine and notes for the user.

    If the recipe names no engine, the engine is vLLM if a build of vLLM supports the machine, else transformers.
    """
    if recipe.generate.engine:
        return recipe.generate.engine, ()
    reason = None if planner.is_remote else vllm_obstacle()
    return ("vllm", ()) if reason is None else ("transformers", (f"transformers generates the answers: {reason}",))


def _choose_environment(engine: str, hardware: Hardware) -> str:
    if engine == "transformers":
        return "trainer"
    return "server" if hardware.accelerator == "gpu" else "server_cpu"
