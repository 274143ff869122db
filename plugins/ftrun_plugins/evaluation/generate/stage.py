"""The stage `generate`: a model's answers to the held-out prompts, the same prompts and sampling for every model.

predictions.jsonl   by row: index, place, reference, the answer as text and as token ids, the prompt's token ids,
                    and whether the model stopped by itself
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from ftrun.api.planner import CallRequest
from ftrun_plugins.evaluation.candidates import ANSWERS, calls_for_each, is_needed, template_input
from ftrun_plugins.evaluation.generate.params import Params
from ftrun_plugins.serving.vllm_support import vllm_obstacle

if TYPE_CHECKING:
    from ftrun.api.backends import Hardware
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall


class Generate:
    """One call for the base model and one for the tuned."""

    name: ClassVar[str] = "generate"
    version: ClassVar[int] = 3
    environment: ClassVar[str] = "server_cpu"
    other_environments: ClassVar[tuple[str, ...]] = ("server", "trainer")

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        data = planner.find("format")
        if data is None or not is_needed(ANSWERS, planner):
            return []
        hardware = planner.hardware(self.name)
        engine, notes = _engine(recipe, planner)
        sampling = recipe.generate.model_dump(exclude={"engine"})
        if engine == "vllm":
            sampling["batch_size"] = None
        params = Params(
            **sampling,
            engine=engine,
            accelerator=hardware.accelerator,
            gpus=planner.gpus(self.name),
            trust_remote_code=recipe.model.trust_remote_code,
        )
        request = CallRequest(
            params,
            inputs={"data": data, **template_input(planner)},
            environment=_environment(engine, hardware),
            notes=notes,
            gpus=params.gpus,
            preloaded=True,
        )
        return calls_for_each(self, planner, request)

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.evaluation.generate.worker import generate

        generate(Params.model_validate(call.params), context)


def _engine(recipe: Recipe, planner: Planner) -> tuple[Literal["vllm", "transformers"], tuple[str, ...]]:
    """The recipe's choice; else vLLM wherever a build of it fits, and a note where none does."""
    if recipe.generate.engine:
        return recipe.generate.engine, ()
    reason = None if planner.is_remote else vllm_obstacle()
    return ("vllm", ()) if reason is None else ("transformers", (f"answers come from transformers: {reason}",))


def _environment(engine: str, hardware: Hardware) -> str:
    if engine == "transformers":
        return "trainer"
    return "server" if hardware.accelerator == "gpu" else "server_cpu"
