"""Replacements of a rehearsal in a recipe: model, rows, evaluations, machines. The trainer replaces its own keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from ftrun.api.recipe import Recipe
from ftrun.api.trainers import LEFT_OUT, Replacement
from ftrun.plugins.manager import Plugins
from ftrun.recipe.compose import compose
from ftrun.recipe.load import Loaded, load
from ftrun_plugins.rehearsal.replacement import hydra_value, make_overrides

ROWS = 50
HELD_OUT_ROWS = 10  # if held-out rows have a separate source
HELD_OUT_SHARE = 0.2
MAX_CUT = 0.9
ANSWERS = 8  # rows for which answers are generated
ANSWER_TOKENS = 16
DOCUMENTS = 4  # per task of lm-evaluation-harness
TINY = "tiny"  # an option of the group `model`
ON_GPUS = ("train", "generate", "loss", "lm_eval")


def load_rehearsal(overrides: Sequence[str], plugins: Plugins) -> tuple[Loaded, list[Replacement]]:
    """Load a recipe with overrides, reduce it for a rehearsal, and return it with the replacements.

    Raises:
        InvalidInput: If the recipe itself is invalid.
    """
    loaded = load(overrides, plugins)
    replacements = list(_find_replacements(loaded.recipe, plugins))
    extra = [override for replacement in replacements for override in make_overrides(replacement)]
    small = load([*overrides, *extra], plugins)
    name = f"{loaded.recipe.name}-rehearsal"
    return dataclasses.replace(small, recipe=small.recipe.model_copy(update={"name": name})), replacements


def _find_replacements(recipe: Recipe, plugins: Plugins) -> Iterator[Replacement]:
    yield from _replace_model(recipe, plugins)
    yield from _reduce_dataset(recipe)
    yield from plugins.trainer(recipe).rehearsal(plugins.trainer_config(recipe).values)
    yield from _reduce_evaluations(recipe, plugins)
    yield from _replace_machines(recipe)


def _replace_model(recipe: Recipe, plugins: Plugins) -> Iterator[Replacement]:
    model = recipe.model
    if model.weights.origin == TINY:
        return
    tiny = compose([f"model={TINY}"], plugins.config_folders()).values["model"]
    values = {"revision": None, "gated": False, "trust_remote_code": False, **tiny}
    weights = values.pop("weights")
    how = [f"model.{key}={hydra_value(value)}" for key, value in values.items()]
    how += [f"model.weights.origin={TINY}"]  # first, so that the overrides after it apply
    how += [f"model.weights.{key}={hydra_value(value)}" for key, value in weights.items() if key != "origin"]
    why = "a random model with 3 million parameters needs no hub, license or GPU"
    yield Replacement("model", model.base_model, tiny["base_model"], why, tuple(how))
    if recipe.serve.max_model_len and recipe.serve.max_model_len > tiny["context_length"]:
        why = "the maximum of the tiny model"
        yield Replacement("serve.max_model_len", recipe.serve.max_model_len, tiny["context_length"], why)
    for key, parser in (("tool_parser", recipe.serve.tool_parser), ("reasoning_parser", recipe.serve.reasoning_parser)):
        if parser:
            yield Replacement(f"serve.{key}", parser, None, "the tiny model has another chat template")


def _reduce_dataset(recipe: Recipe) -> Iterator[Replacement]:
    dataset = recipe.dataset
    why = "the first rows are enough"
    if dataset.limit is None or dataset.limit > ROWS:
        yield Replacement("dataset.limit", dataset.limit, ROWS, why)
    is_separate = any(dataset.held_out_sources())
    if is_separate and (dataset.held_out_limit is None or dataset.held_out_limit > HELD_OUT_ROWS):
        yield Replacement("dataset.held_out_limit", dataset.held_out_limit, HELD_OUT_ROWS, why)
    splits = {"dataset": dataset.split, **{f"dataset.parts.{name}": part.split for name, part in dataset.parts.items()}}
    for place, split in splits.items():
        if split is not None and 0 < split.held_out < HELD_OUT_SHARE:
            why = f"a smaller fraction of {ROWS} rows may be 0 rows"
            yield Replacement(f"{place}.split.held_out", split.held_out, HELD_OUT_SHARE, why)
        if split is not None and 0 < split.validation < HELD_OUT_SHARE and split.held_out + HELD_OUT_SHARE < 1:
            why = f"a smaller fraction of {ROWS} rows may be 0 rows"
            yield Replacement(f"{place}.split.validation", split.validation, HELD_OUT_SHARE, why)
    if dataset.max_cut < MAX_CUT:
        yield Replacement("dataset.max_cut", dataset.max_cut, MAX_CUT, "rows have other lengths with another tokenizer")


def _reduce_evaluations(recipe: Recipe, plugins: Plugins) -> Iterator[Replacement]:
    for name, evaluation in recipe.evals.items():
        evaluator = plugins.get("evaluator", evaluation.evaluator).cls
        if getattr(evaluator, "optional_secrets", ()):
            yield Replacement(f"evals.{name}", evaluation.evaluator, LEFT_OUT, "it would send data to a service")
        elif "limit" in evaluator.Options.model_fields:
            yield Replacement(f"evals.{name}.limit", evaluation.options.get("limit"), DOCUMENTS, "a few documents")
    generate = recipe.generate
    if generate.rows is None or generate.rows > ANSWERS:
        yield Replacement("generate.rows", generate.rows, ANSWERS, "a few answers")
    if generate.max_new_tokens > ANSWER_TOKENS:
        yield Replacement("generate.max_new_tokens", generate.max_new_tokens, ANSWER_TOKENS, "short answers")


def _replace_machines(recipe: Recipe) -> Iterator[Replacement]:
    if recipe.backend.name != "local":
        yield Replacement("backend.name", recipe.backend.name, "local", "it runs on this machine")
    gpus = [f"{stage} {request.gpu}" for stage, request in recipe.resources.items() if request.gpu]
    how = [f"resources.{stage}.gpu=0" for stage in (*ON_GPUS, *recipe.resources) if stage != "serve"]
    for stage, request in recipe.resources.items():
        counts = {"processes": request.processes, "cpu": request.cpu}
        how += [f"resources.{stage}.{key}=null" for key, value in counts.items() if value is not None]
    old = gpus or "all GPUs of the machine"
    yield Replacement("resources.*.gpu", old, 0, "one process on the CPU", tuple(dict.fromkeys(how)))
