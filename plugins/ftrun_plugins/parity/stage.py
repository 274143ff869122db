"""Stage `parity`: fails if the served model would tokenize or score a prompt differently than the trained model.

It also fails if the parsers of the server do not read answers as the chat template writes them.

parity.json   summary of the comparison: rows, tokens and differences
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from ftrun.api.planner import CallRequest
from ftrun_plugins.parity.params import Params
from ftrun_plugins.serving.serving_plan import own_parsers
from ftrun_plugins.serving.vllm_support import vllm_obstacle

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall


class Parity:
    """Stage on the CPU. Compares prompts in the environment of the engine, and weights in that of the trainer."""

    name: ClassVar[str] = "parity"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "server_cpu"
    other_environments: ClassVar[tuple[str, ...]] = ("trainer",)
    known_errors: ClassVar[str] = "ftrun_plugins.known_errors:KNOWN_ERRORS"

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        return [
            *self._plan_answers(recipe, planner),
            *self._plan_prompts(recipe, planner),
            *self._plan_weights(recipe, planner),
        ]

    def _plan_answers(self, recipe: Recipe, planner: Planner) -> Iterator[StageCall]:
        """Plan the check of the parsers of answers. It does not need the trained model, so that it fails early."""
        tokenized, model, serve = planner.find("tokenize"), planner.find("fetch:model"), recipe.serve
        with_vllm = serve.engine != "transformers" and (planner.is_remote or vllm_obstacle() is None)
        parsers = (serve.tool_parser, serve.reasoning_parser) if with_vllm else own_parsers(serve)
        if tokenized is None or model is None or not any(parsers):
            return
        params = Params(
            what="answers",
            engine=with_vllm,
            trust_remote_code=recipe.model.trust_remote_code,
            template=planner.trainer_config.template,
            tool_parser=parsers[0],
            reasoning_parser=parsers[1],
        )
        yield planner.call(
            self,
            CallRequest(
                params,
                label="parity:answers",
                inputs={"tokenized": tokenized, "model": model},
                environment=self.environment if with_vllm else "trainer",
                preloaded=True,
            ),
        )

    def _plan_prompts(self, recipe: Recipe, planner: Planner) -> Iterator[StageCall]:
        labels = ("format", "tokenize", "fetch:model", "train")
        data, tokenized, model, train = (planner.find(label) for label in labels)
        if data is None or tokenized is None or model is None or train is None:
            return
        reason = None if planner.is_remote else vllm_obstacle()
        params = Params(
            what="prompts",
            engine=reason is None,
            untrained_end_of_turn=recipe.dataset.untrained_end_of_turn,
            on_prompt_mismatch=recipe.dataset.on_prompt_mismatch,
            trust_remote_code=recipe.model.trust_remote_code,
            template=planner.trainer_config.template,
        )
        inputs = {"data": data, "tokenized": tokenized, "model": model, "train": train}
        merged = planner.find("merge")
        yield planner.call(
            self,
            CallRequest(
                params,
                label="parity:prompts",
                inputs={**inputs, "merged": merged} if merged else inputs,
                environment="trainer" if reason else self.environment,
                notes=[f"the tokens of the engine are not compared: {reason}"] if reason else (),
                preloaded=True,
            ),
        )

    def _plan_weights(self, recipe: Recipe, planner: Planner) -> Iterator[StageCall]:
        labels = ("tokenize", "fetch:model", "train", "merge")
        tokenized, model, train, merged = (planner.find(label) for label in labels)
        if tokenized is None or model is None or train is None or merged is None:
            return
        yield planner.call(
            self,
            CallRequest(
                Params(what="weights", trust_remote_code=recipe.model.trust_remote_code),
                label="parity:weights",
                inputs={"tokenized": tokenized, "model": model, "adapter": train, "merged": merged},
                environment="trainer",
                cpu=planner.cores,
                preloaded=True,
            ),
        )

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.parity.worker import check_parity

        check_parity(Params.model_validate(call.params), context)
