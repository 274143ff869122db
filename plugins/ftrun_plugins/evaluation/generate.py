"""The stage `generate`: a model's answers to the held-out prompts, the same prompts and sampling for every model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ftrun.recipe.types import Frozen
from ftrun_plugins.axolotl.config import merge
from ftrun_plugins.evaluation.models import calls_for_each, is_needed

if TYPE_CHECKING:
    from ftrun.execute.context import StageContext
    from ftrun.plan.call import StageCall
    from ftrun.plan.planning import Planning
    from ftrun.recipe.types import Recipe


class Params(Frozen):
    """How answers are sampled."""

    max_new_tokens: int
    temperature: float
    top_p: float
    seed: int
    batch_size: int
    rows: int | None
    chat_template: str | None  # axolotl's name of a template, for a model that has none of its own
    accelerator: Literal["cpu", "gpu"]
    trust_remote_code: bool


class Generate:
    """One call for the base model and one for the tuned."""

    name: ClassVar[str] = "generate"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "trainer"

    def plan(self, recipe: Recipe, planning: Planning) -> Sequence[StageCall]:
        data = planning.find("format")
        if data is None or not is_needed("predictions", recipe, planning):
            return []
        hardware = planning.hardware(self.name)
        params = Params(
            **recipe.generate.model_dump(),
            chat_template=_template(merge(recipe).values),
            accelerator=hardware.accelerator,
            trust_remote_code=recipe.model.trust_remote_code,
        )
        return calls_for_each(self, params, planning, hardware, {"data": data})

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.evaluation.generating import generate

        generate(Params.model_validate(call.params), context)


def _template(trainer: dict[str, Any]) -> str | None:
    name = trainer.get("chat_template")
    return str(trainer["chat_template_jinja"]) if name == "jinja" else name if name != "tokenizer_default" else None
