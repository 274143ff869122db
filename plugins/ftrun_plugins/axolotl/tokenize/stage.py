"""The stage `tokenize`: converts examples to token ids and labels with axolotl's prompt strategies, in order.

train/ validation/ held_out/  tokenized datasets for the trainer, those that have rows
{split}.rows.jsonl            for each row: place, index among the examples, tokens, trained tokens
sample.jsonl                  a few rows with their token ids and labels
vocabulary.json               number of tokens of the vocabulary, and its digest
chat_template.jinja           the template that rendered the chats
report.json                   statistics for `ftrun show`
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from ftrun.api.planner import CallRequest
from ftrun_plugins.axolotl.check.stage import plan_missing_checks
from ftrun_plugins.axolotl.config.file_keys import read_entry
from ftrun_plugins.axolotl.config.key_readers import select_keys
from ftrun_plugins.axolotl.tokenize.params import Params

if TYPE_CHECKING:
    from ftrun.api.artifacts import Split
    from ftrun.api.context import StageContext
    from ftrun.api.planner import Planner
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall


class Tokenize:
    """Tokenization on the CPU. Its parameters, and so its key, do not depend on the machine."""

    name: ClassVar[str] = "tokenize"
    version: ClassVar[int] = 4
    environment: ClassVar[str] = "trainer"
    known_errors: ClassVar[str] = "ftrun_plugins.known_errors:KNOWN_ERRORS"

    def plan(self, recipe: Recipe, planner: Planner) -> Sequence[StageCall]:
        data, model = planner.find("format"), planner.find("fetch:model")
        if data is None or model is None:
            return []
        config = planner.trainer_config
        params = Params(
            trainer=select_keys("tokenize", config.values),
            dataset=read_entry(recipe)[0],
            trust_remote_code=recipe.model.trust_remote_code,
            max_cut=recipe.dataset.max_cut,
            untrained_end_of_turn=recipe.dataset.untrained_end_of_turn,
            on_template_loss=recipe.dataset.on_template_loss,
            on_prompt_mismatch=recipe.dataset.on_prompt_mismatch,
            packed_split=_packed_split(recipe) if config.values.get("eval_sample_packing") else None,
        )
        trains = "train" in recipe.stages
        checks, missing = plan_missing_checks(recipe, planner) if trains else ([], [])
        inputs = {"model": model, "data": data}
        request = CallRequest(params, inputs=inputs, after=checks, cpu=planner.cores, preloaded=True)
        return [*missing, planner.call(self, request)]

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.axolotl.tokenize.worker import tokenize

        tokenize(Params.model_validate(call.params), context)


def _packed_split(recipe: Recipe) -> Split:
    return "validation" if recipe.dataset.has_validation else "held_out"
