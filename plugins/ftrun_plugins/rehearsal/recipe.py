"""What a rehearsal replaces in a recipe, apart from the trainer's keys: model, rows, evaluations, machines."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from ftrun.api.recipe import Recipe
from ftrun.api.trainers import LEFT_OUT, Replacement
from ftrun.plugins.manager import Plugins
from ftrun.recipe.compose import compose
from ftrun.recipe.load import Loaded, load
from ftrun_plugins.rehearsal.replacement import hydra_value, overrides_of

ROWS = 50
HELD_OUT_ROWS = 10  # where they have a source of their own
HELD_OUT_SHARE = 0.2
MAX_CUT = 0.9
ANSWERS = 8  # rows that are answered
ANSWER_TOKENS = 16
DOCUMENTS = 4  # of each task of lm-evaluation-harness
TINY = "tiny"  # an option of the group `model`
ON_GPUS = ("train", "generate", "loss", "lm_eval")


def rehearsal_of(overrides: Sequence[str], plugins: Plugins) -> tuple[Loaded, list[Replacement]]:
    """The recipe that the overrides ask for, made small, and what was replaced in it.

    Raises:
        InvalidInput: the recipe itself is wrong.
    """
    loaded = load(overrides, plugins)
    found = list(_replaced(loaded.recipe, plugins))
    more = [override for one in found for override in overrides_of(one)]
    small = load([*overrides, *more], plugins)
    name = f"{loaded.recipe.name}-rehearsal"
    return dataclasses.replace(small, recipe=small.recipe.model_copy(update={"name": name})), found


def _replaced(recipe: Recipe, plugins: Plugins) -> Iterator[Replacement]:
    yield from _model(recipe, plugins)
    yield from _dataset(recipe)
    yield from plugins.trainer(recipe).rehearsal(plugins.trainer_config(recipe).values)
    yield from _evaluations(recipe, plugins)
    yield from _machines(recipe)


def _model(recipe: Recipe, plugins: Plugins) -> Iterator[Replacement]:
    model = recipe.model
    if model.weights.origin == TINY:
        return
    tiny = compose([f"model={TINY}"], plugins.config_folders()).values["model"]
    values = {"revision": None, "gated": False, "trust_remote_code": False, **tiny}
    weights = values.pop("weights")
    how = [f"model.{key}={hydra_value(value)}" for key, value in values.items()]
    how += [f"model.weights.origin={TINY}"]  # first: what is set after it is kept
    how += [f"model.weights.{key}={hydra_value(value)}" for key, value in weights.items() if key != "origin"]
    why = "a random model of 3 million parameters: no hub, no licence, no GPU"
    yield Replacement("model", model.base_model, tiny["base_model"], why, tuple(how))
    if recipe.serve.max_model_len and recipe.serve.max_model_len > tiny["context_length"]:
        why = "what the tiny model reads"
        yield Replacement("serve.max_model_len", recipe.serve.max_model_len, tiny["context_length"], why)


def _dataset(recipe: Recipe) -> Iterator[Replacement]:
    dataset = recipe.dataset
    few = "the first rows are enough"
    if dataset.limit is None or dataset.limit > ROWS:
        yield Replacement("dataset.limit", dataset.limit, ROWS, few)
    apart = any(dataset.held_out_sources())
    if apart and (dataset.held_out_limit is None or dataset.held_out_limit > HELD_OUT_ROWS):
        yield Replacement("dataset.held_out_limit", dataset.held_out_limit, HELD_OUT_ROWS, few)
    splits = {"dataset": dataset.split, **{f"dataset.parts.{name}": one.split for name, one in dataset.parts.items()}}
    for place, split in splits.items():
        if split is not None and 0 < split.held_out < HELD_OUT_SHARE:
            why = f"a smaller share of {ROWS} rows may be none"
            yield Replacement(f"{place}.split.held_out", split.held_out, HELD_OUT_SHARE, why)
    if dataset.max_cut < MAX_CUT:
        yield Replacement("dataset.max_cut", dataset.max_cut, MAX_CUT, "another tokenizer counts other lengths")


def _evaluations(recipe: Recipe, plugins: Plugins) -> Iterator[Replacement]:
    for name, evaluation in recipe.evals.items():
        evaluator = plugins.get("evaluator", evaluation.evaluator).cls
        if getattr(evaluator, "optional_secrets", ()):
            yield Replacement(
                f"evals.{name}", evaluation.evaluator, LEFT_OUT, "it would send data to a service, with a key"
            )
        elif "limit" in evaluator.Options.model_fields:
            yield Replacement(f"evals.{name}.limit", evaluation.options.get("limit"), DOCUMENTS, "a few documents")
    generate = recipe.generate
    if generate.rows is None or generate.rows > ANSWERS:
        yield Replacement("generate.rows", generate.rows, ANSWERS, "a few answers")
    if generate.max_new_tokens > ANSWER_TOKENS:
        yield Replacement("generate.max_new_tokens", generate.max_new_tokens, ANSWER_TOKENS, "short answers")


def _machines(recipe: Recipe) -> Iterator[Replacement]:
    if recipe.backend.name != "local":
        yield Replacement("backend.name", recipe.backend.name, "local", "it runs here")
    named = [f"{stage} {one.gpu}" for stage, one in recipe.resources.items() if one.gpu]
    how = [f"resources.{stage}.gpu=0" for stage in (*ON_GPUS, *recipe.resources) if stage != "serve"]
    for stage, one in recipe.resources.items():
        given = {"processes": one.processes, "cpu": one.cpu}
        how += [f"resources.{stage}.{key}=null" for key, value in given.items() if value is not None]
    asked = named or "what the machine has"
    yield Replacement("resources.*.gpu", asked, 0, "the CPU alone, one process", tuple(dict.fromkeys(how)))
