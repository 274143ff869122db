"""The stage `parity`: stops a run whose served model would read or weigh a prompt otherwise than it was trained to.

parity.json   what was compared: rows, tokens, the greatest difference
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Frozen
from ftrun_plugins.serving.vllm_support import vllm_obstacle

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall
    from ftrun.planning.planner import Planner


class Params(Frozen):
    """What is compared."""

    what: Literal["prompts", "weights"]
    engine: bool = False  # whether the engine tokenizes as well
    untrained_end_of_turn: bool = False
    trust_remote_code: bool


class Parity:
    """Runs on the CPU: the prompts beside the engine, the weights beside the trainer."""

    name: ClassVar[str] = "parity"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "server_cpu"
    other_environments: ClassVar[tuple[str, ...]] = ("trainer",)

    def plan(self, recipe: Recipe, planning: Planner) -> Sequence[StageCall]:
        return [*self._prompts(recipe, planning), *self._weights(recipe, planning)]

    def _prompts(self, recipe: Recipe, planning: Planner) -> Iterator[StageCall]:
        labels = ("format", "tokenize", "fetch:model", "train")
        data, tokenized, model, train = (planning.find(label) for label in labels)
        if data is None or tokenized is None or model is None or train is None:
            return
        reason = None if planning.backend.remote else vllm_obstacle()
        params = Params(
            what="prompts",
            engine=reason is None,
            untrained_end_of_turn=recipe.dataset.untrained_end_of_turn,
            trust_remote_code=recipe.model.trust_remote_code,
        )
        inputs = {"data": data, "tokenized": tokenized, "model": model, "train": train}
        merged = planning.find("merge")
        yield planning.call(
            self,
            params,
            label="parity:prompts",
            inputs={**inputs, "merged": merged} if merged else inputs,
            environment="trainer" if reason else self.environment,
            notes=[f"the engine's own tokens are not compared: {reason}"] if reason else (),
            preloaded=True,
        )

    def _weights(self, recipe: Recipe, planning: Planner) -> Iterator[StageCall]:
        labels = ("tokenize", "fetch:model", "train", "merge")
        tokenized, model, train, merged = (planning.find(label) for label in labels)
        if tokenized is None or model is None or train is None or merged is None:
            return
        yield planning.call(
            self,
            Params(what="weights", trust_remote_code=recipe.model.trust_remote_code),
            label="parity:weights",
            inputs={"tokenized": tokenized, "model": model, "adapter": train, "merged": merged},
            environment="trainer",
            cpu=planning.cores,
            preloaded=True,
        )

    def run(self, call: StageCall, context: StageContext) -> None:
        params = Params.model_validate(call.params)
        found, problems = _compare(params, context)
        if problems:
            raise InvalidInput(problems)
        (context.output / "parity.json").write_text(json.dumps(found, indent=1))
        context.report.metric(**found)


def _compare(params: Params, context: StageContext) -> tuple[dict[str, Any], list[Problem]]:
    if params.what == "weights":
        from ftrun_plugins.parity.weights import compare_weights

        return compare_weights(params, context)
    from ftrun_plugins.parity.prompts import compare_prompts

    return compare_prompts(params, context)
