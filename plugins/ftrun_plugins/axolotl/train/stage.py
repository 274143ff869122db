"""The stage `train`: trains with axolotl on tokenized rows, and writes an adapter or a model.

It resumes from the last complete checkpoint by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from ftrun.api.checkpoints import PREFIX
from ftrun.api.planner import CallRequest
from ftrun_plugins.axolotl.check.stage import plan_missing_checks
from ftrun_plugins.axolotl.train.params import Params
from ftrun_plugins.axolotl.train.settings import split_settings
from ftrun_plugins.axolotl.train.trackers import RUN_ID, required_secrets
from ftrun_plugins.axolotl.train.trainer_config import plan_params
from ftrun_plugins.axolotl.train.weight_change import START
from ftrun_plugins.axolotl.workspace import OUT, PREPARED

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall


class Train:
    """Training in one process, or in several with DeepSpeed or DDP."""

    name: ClassVar[str] = "train"
    version: ClassVar[int] = 2
    environment: ClassVar[str] = "trainer"
    # TensorBoard's logs of earlier attempts become a part of the artifact.
    resumable: ClassVar[tuple[str, ...]] = (f"{OUT}/{PREFIX}*/", f"{PREPARED}/", f"{OUT}/runs/*", RUN_ID, START)
    known_errors: ClassVar[str] = "ftrun_plugins.known_errors:KNOWN_ERRORS"

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        data, model = planner.find("tokenize"), planner.find("fetch:model")
        if data is None or model is None:
            return []
        checks, missing = plan_missing_checks(recipe, planner)
        params, notes = plan_params(recipe, planner)
        on_gpus = params.accelerator == "gpu"
        trainer, settings = split_settings(params.trainer)
        call = planner.call(
            self,
            CallRequest(
                params.model_copy(update={"trainer": trainer}),
                settings=settings,
                inputs={"model": model, "data": data},
                after=checks,
                secrets=required_secrets(params.trainer),
                notes=notes,
                cpu=1.0 if on_gpus else planner.cores,
                gpus=params.processes if on_gpus else 0,
                preloaded=True,
            ),
        )
        return [*missing, call]

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.axolotl.train.worker import TrainWorker

        params = Params.model_validate(call.params)
        trainer = {**params.trainer, **call.settings}
        TrainWorker(params.model_copy(update={"trainer": trainer}), context).run()
