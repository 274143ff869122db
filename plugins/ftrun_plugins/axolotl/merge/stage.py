"""The stage `merge`: merges the adapter into the base model with axolotl, shard by shard if possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from ftrun.api.planner import CallRequest
from ftrun_plugins.axolotl.config.key_readers import select_keys
from ftrun_plugins.axolotl.merge.params import Params

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall


class Merge:
    """Merge of a trained adapter. There is no call if all weights were trained."""

    name: ClassVar[str] = "merge"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "trainer"
    known_errors: ClassVar[str] = "ftrun_plugins.known_errors:KNOWN_ERRORS"

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        train, model = planner.find("train"), planner.find("fetch:model")
        values = planner.trainer_config.set_values()
        if train is None or model is None or not values.get("adapter"):
            return []
        trainer = select_keys("merge", values)
        trainer["adapter"] = "lora"  # only training quantizes the base model; the merge uses the full weights
        params = Params(trainer=trainer, trust_remote_code=recipe.model.trust_remote_code)
        return [
            planner.call(
                self, CallRequest(params, inputs={"model": model, "adapter": train}, cpu=planner.cores, preloaded=True)
            )
        ]

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.axolotl.merge.worker import merge_adapter

        merge_adapter(Params.model_validate(call.params), context)
