"""The stage `check`: axolotl's own checks of a configuration, on a CPU, before anything is paid.

`check:config` runs axolotl's validation for the hardware of `train`. It reads nothing, so it is among the first calls
of a run. `check:model` also reads the model's configuration: it runs the rest of what axolotl does before it loads a
model, and looks up names of modules in the architecture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from ftrun.api.planner import CallRequest
from ftrun.utils.text import dotted
from ftrun_plugins.axolotl.check.params import Params
from ftrun_plugins.axolotl.train.trainer_config import plan_params

if TYPE_CHECKING:
    from ftrun.api.artifacts import Split
    from ftrun.api.context import StageContext
    from ftrun.api.dataset import Dataset
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall

CONFIG, WITH_MODEL = "check:config", "check:model"


class Check:
    """Checks of the trainer's configuration. `tokenize` and `train` plan them, and start after them."""

    name: ClassVar[str] = "check"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "trainer"

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        return plan_missing_checks(recipe, planner)[1]

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.axolotl.check.worker import check

        check(Params.model_validate(call.params), context)


def plan_missing_checks(recipe: Recipe, planner: Planner) -> tuple[list[StageCall], list[StageCall]]:
    """Return the checks of a recipe, and those of them that no stage has planned yet."""
    planned = [call for call in map(planner.find, (CONFIG, WITH_MODEL)) if call is not None]
    if planned:
        return planned, []
    calls = _plan_checks(recipe, planner)
    return calls, calls


def _plan_checks(recipe: Recipe, planner: Planner) -> list[StageCall]:
    training, _ = plan_params(recipe, planner)
    merged = planner.trainer_config
    params = Params(
        training=training,
        splits=_splits(recipe.dataset),
        gpus=planner.hardware("train").kinds,
        origins={key: dotted(path) for key, path in merged.origins.items() if merged.values.get(key) is not None},
    )
    model = planner.find("fetch:model")
    inputs = {CONFIG: {}, WITH_MODEL: {"model": model}} if model is not None else {CONFIG: {}}
    return [
        planner.call(
            Check(),
            CallRequest(params, label=label, inputs=read, preloaded=True, preflight=True),
        )
        for label, read in inputs.items()
    ]


def _splits(dataset: Dataset) -> tuple[Split, ...]:
    has_rows: dict[Split, bool] = {"validation": dataset.has_validation, "held_out": dataset.holds_out}
    return ("train", *(split for split, expected in has_rows.items() if expected))
