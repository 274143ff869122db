"""Stage `loss`: mean loss of a model on each held-out row, over the tokens that training would train."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from ftrun.api.planner import CallRequest
from ftrun_plugins.evaluation.candidates import is_needed, plan_candidate_calls
from ftrun_plugins.evaluation.loss.params import Params

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall


class Loss:
    """Stage with one call for the base model and one for the tuned model."""

    name: ClassVar[str] = "loss"
    version: ClassVar[int] = 2
    environment: ClassVar[str] = "trainer"
    known_errors: ClassVar[str] = "ftrun_plugins.known_errors:KNOWN_ERRORS"

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        data, examples = planner.find("tokenize"), planner.find("format")
        if data is None or not is_needed(("loss",), planner):
            return []
        inputs = {"data": data}
        if recipe.generate.rows is not None and examples is not None:
            inputs["examples"] = examples
        hardware = planner.hardware(self.name)
        params = Params(
            rows=recipe.generate.rows,
            seed=None if recipe.generate.rows is None else recipe.generate.seed,
            accelerator=hardware.accelerator,
            trust_remote_code=recipe.model.trust_remote_code,
        )
        return plan_candidate_calls(self, planner, CallRequest(params, inputs=inputs, preloaded=True))

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.evaluation.loss.worker import measure_losses

        measure_losses(Params.model_validate(call.params), context)
