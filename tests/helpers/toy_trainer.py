"""Write a third party's trainer: a few lines over transformers that train all weights."""

from __future__ import annotations

from pathlib import Path

from helpers.installed_package import write_package

PLUGIN = """
from ftrun import hookimpl
from ftrun.api.issues import Issue


@hookimpl
def ftrun_register_trainers(register):
    from ftrun_toy.trainer import Toy

    register(Toy)


@hookimpl
def ftrun_register_stages(register):
    from ftrun_toy.stages import ToyTokenize, ToyTrain

    register(ToyTokenize)
    register(ToyTrain)


@hookimpl
def ftrun_check_recipe(recipe, trainer_config):
    if recipe.trainer != "toy":
        return []
    unknown = set(trainer_config.values) - {"steps", "learning_rate"}
    return [Issue("unknown-key", ("train", key), f"unknown key `{key}`") for key in sorted(unknown)]
"""

TRAINER = '''
from typing import ClassVar

from ftrun.api.trainers import TrainerConfig


class Toy:
    """Trains all weights with a constant learning rate."""

    name: ClassVar[str] = "toy"
    environment: ClassVar[str] = "trainer"
    preview_module: ClassVar[str | None] = None

    def build_config(self, recipe):
        return TrainerConfig(dict(recipe.train), {key: ("train", key) for key in recipe.train})

    def adapter_layout(self, values):
        return None

    def uses_own_template(self, values):
        return False

    def rehearsal(self, values):
        return ()

    def schema(self):
        return None
'''

STAGES = '''
import json
from typing import ClassVar

from ftrun.api.artifacts import SPLITS, FormattedRows, TokenizedRows
from ftrun.api.planner import CallRequest
from ftrun.api.recipe import Frozen
from ftrun.api.tokenizers import vocabulary


class NoParams(Frozen):
    pass


class Params(Frozen):
    steps: int
    learning_rate: float


class ToyTokenize:
    """Renders chats with the model's own template and trains the last answer."""

    name: ClassVar[str] = "toy_tokenize"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "trainer"

    def plan(self, recipe, planner):
        inputs = {"model": planner.find("fetch:model"), "data": planner.find("format")}
        return [planner.call(self, CallRequest(NoParams(), label="tokenize", inputs=inputs))]

    def run(self, call, context):
        from datasets import Dataset
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(context.inputs["model"])
        data, made = FormattedRows(context.inputs["data"]), TokenizedRows(context.output)
        report = {}
        for split in SPLITS:
            rows, places = [], []
            for index, example in enumerate(data.examples(split)):
                row = self._row(tokenizer, example["messages"])
                rows.append(row)
                labels = row["labels"]
                trained = sum(label >= 0 for label in labels)
                places.append({"place": example["place"], "index": index, "tokens": len(labels), "trained": trained})
            Dataset.from_list(rows).save_to_disk(str(made.dataset(split)))
            lines = "".join(json.dumps(place) + chr(10) for place in places)
            (context.output / made.rows_name(split)).write_text(lines)
            report[split] = {"rows": len(rows)}
        (context.output / made.REPORT).write_text(json.dumps(report))
        (context.output / made.SAMPLE).write_text("")
        (context.output / made.VOCABULARY).write_text(json.dumps(vocabulary(tokenizer)))
        (context.output / made.TEMPLATE).write_text(tokenizer.chat_template)

    def _row(self, tokenizer, messages):
        ids = tokenizer.apply_chat_template(messages, return_dict=False)
        prompt = tokenizer.apply_chat_template(messages[:-1], add_generation_prompt=True, return_dict=False)
        labels = [-100] * len(prompt) + ids[len(prompt):]
        return {"input_ids": ids, "labels": labels, "attention_mask": [1] * len(ids)}


class ToyTrain:
    """A row a step."""

    name: ClassVar[str] = "toy_train"
    version: ClassVar[int] = 1
    environment: ClassVar[str] = "trainer"

    def plan(self, recipe, planner):
        inputs = {"model": planner.find("fetch:model"), "data": planner.find("tokenize")}
        params = Params(**planner.trainer_config.values)
        return [planner.call(self, CallRequest(params, label="train", inputs=inputs, cpu=planner.cores))]

    def run(self, call, context):
        import torch
        from datasets import load_from_disk
        from transformers import AutoModelForCausalLM, AutoTokenizer

        params = Params.model_validate(call.params)
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_pretrained(context.inputs["model"], dtype=torch.float32)
        optimizer = torch.optim.AdamW(model.parameters(), lr=params.learning_rate)
        rows = load_from_disk(str(TokenizedRows(context.inputs["data"]).dataset("train")))
        for step in range(params.steps):
            context.check_stop()
            row = rows[step % len(rows)]
            loss = model(**{key: torch.tensor([row[key]]) for key in ("input_ids", "labels", "attention_mask")}).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            context.report.progress(step + 1, params.steps, "steps", loss=float(loss.detach()))
        model.save_pretrained(context.output)
        AutoTokenizer.from_pretrained(context.inputs["model"]).save_pretrained(context.output)
        context.report.metric(last_loss=float(loss.detach()))
'''


def write_toy_trainer(folder: Path) -> Path:
    """Make `folder` one that can be put on `PYTHONPATH`, with the package `ftrun-toy` in it."""
    modules = {"plugin": PLUGIN, "trainer": TRAINER, "stages": STAGES}
    return write_package(folder, "ftrun-toy", modules, entry="toy")
