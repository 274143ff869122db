"""The stage `tokenize`: examples become token ids and labels by axolotl's own prompt strategies, row by row, in order.

train/ held_out/                      datasets that the trainer takes as already tokenized
train.rows.jsonl held_out.rows.jsonl  for each prepared row its place, its index among the examples, its tokens
sample.jsonl                          a few rows with their token ids and labels
vocabulary.json                       which tokens there are, as a digest
chat_template.jinja                   the template that chats were rendered with
report.json                           what `ftrun show` says about the data
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftrun.api.recipe import Frozen
from ftrun_plugins.axolotl.config.build import build_trainer_config
from ftrun_plugins.axolotl.special_tokens import vocabulary

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall
    from ftrun.planning.planner import Planner

SPLITS = ("train", "held_out")
TEMPLATE = "chat_template.jinja"
SAMPLE = "sample.jsonl"
VOCABULARY = "vocabulary.json"


class Params(Frozen):
    """What tokenizing depends on: a listed subset of the trainer's keys, and the limits of the recipe."""

    trainer: dict[str, Any]
    dataset: dict[str, Any]  # keys of axolotl's dataset entry, e.g. train_on_eos
    trust_remote_code: bool
    max_cut: float
    untrained_end_of_turn: bool
    pack_held_out: bool  # then the held-out rows must fill at least one pack


class Tokenize:
    """Runs on the CPU; its parameters are never adapted, so that its key is the same everywhere."""

    name: ClassVar[str] = "tokenize"
    version: ClassVar[int] = 3
    environment: ClassVar[str] = "trainer"

    def plan(self, recipe: Recipe, planning: Planner) -> Sequence[StageCall]:
        data, model = planning.find("format"), planning.find("fetch:model")
        if data is None or model is None:
            return []
        config = build_trainer_config(recipe)
        params = Params(
            trainer=config.tokenize_values(),
            dataset=recipe.dataset.trainer,
            trust_remote_code=recipe.model.trust_remote_code,
            max_cut=recipe.dataset.max_cut,
            untrained_end_of_turn=recipe.dataset.untrained_end_of_turn,
            pack_held_out=bool(config.values.get("eval_sample_packing")),
        )
        return [planning.call(self, params, inputs={"model": model, "data": data}, cpu=planning.cores, preloaded=True)]

    def run(self, call: StageCall, context: StageContext) -> None:
        from ftrun_plugins.axolotl.tokenize.worker import TokenizeWorker

        params = Params.model_validate(call.params)
        data = context.inputs["data"]
        kind = json.loads((data / "report.json").read_text())["kind"]
        tokenizing = TokenizeWorker(params, kind, context)
        report = {split: tokenizing.split(split, _examples(data / f"{split}.jsonl")) for split in SPLITS}
        (context.output / "report.json").write_text(json.dumps(report, indent=1))
        rows = sorted(tokenizing.sample.rows, key=lambda row: (row["split"], row["index"]))
        (context.output / SAMPLE).write_text("".join(json.dumps(row) + "\n" for row in rows))
        (context.output / VOCABULARY).write_text(json.dumps(vocabulary(tokenizing.tokenizer)))
        if kind == "chat":
            (context.output / TEMPLATE).write_text(tokenizing.tokenizer.chat_template)
        context.report.metric(
            **{
                f"{split}_{name}": report[split].get(name, 0)
                for split in SPLITS
                for name in ("rows", "tokens", "trained_tokens")
            }
        )


def _examples(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)
