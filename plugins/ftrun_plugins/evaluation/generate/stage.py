"""The stage `generate`: a model's answers to the held-out prompts, the same prompts and sampling for every model.

predictions.jsonl   by row: index, place, reference, the answer as text and as token ids, the prompt's token ids,
                    and whether the model stopped by itself
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from ftrun.api.recipe import Frozen
from ftrun_plugins.evaluation.candidates import ANSWERS, calls_for_each, is_needed, template_of
from ftrun_plugins.serving.vllm_support import vllm_obstacle

if TYPE_CHECKING:
    from ftrun.api.backends import Hardware
    from ftrun.api.context import StageContext
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall
    from ftrun.planning.planner import Planner


class Params(Frozen):
    """How answers are sampled, and by what."""

    engine: Literal["vllm", "transformers"]
    max_new_tokens: int
    temperature: float
    top_p: float
    seed: int
    batch_size: int | None  # of the engine that has no scheduler of its own
    rows: int | None
    accelerator: Literal["cpu", "gpu"]
    gpus: int
    trust_remote_code: bool


class Generate:
    """One call for the base model and one for the tuned."""

    name: ClassVar[str] = "generate"
    version: ClassVar[int] = 3
    environment: ClassVar[str] = "server_cpu"
    other_environments: ClassVar[tuple[str, ...]] = ("server", "trainer")

    def plan(self, recipe: Recipe, planning: Planner) -> Sequence[StageCall]:
        data = planning.find("format")
        if data is None or not is_needed(ANSWERS, recipe, planning):
            return []
        hardware = planning.hardware(self.name)
        engine, notes = _engine(recipe, planning)
        sampling = recipe.generate.model_dump(exclude={"engine"})
        if engine == "vllm":
            sampling["batch_size"] = None
        gpus = (recipe.resources_of(self.name).gpus or 1) if hardware.accelerator == "gpu" else 0
        params = Params(
            **sampling,
            engine=engine,
            accelerator=hardware.accelerator,
            gpus=gpus,
            trust_remote_code=recipe.model.trust_remote_code,
        )
        inputs = {"data": data, **template_of(recipe, planning)}
        where = _environment(engine, hardware)
        return calls_for_each(self, params, planning, hardware, inputs, environment=where, notes=notes, gpus=gpus)

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.evaluation.generate.worker import generate

        generate(Params.model_validate(call.params), context)


def _engine(recipe: Recipe, planning: Planner) -> tuple[Literal["vllm", "transformers"], tuple[str, ...]]:
    """The recipe's choice; else vLLM wherever a build of it fits, and a note where none does."""
    if recipe.generate.engine:
        return recipe.generate.engine, ()
    reason = None if planning.backend.remote else vllm_obstacle()
    return ("vllm", ()) if reason is None else ("transformers", (f"answers come from transformers: {reason}",))


def _environment(engine: str, hardware: Hardware) -> str:
    if engine == "transformers":
        return "trainer"
    return "server" if hardware.accelerator == "gpu" else "server_cpu"
