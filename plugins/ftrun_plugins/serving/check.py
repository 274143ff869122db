"""Checks of a recipe for errors that the engine would report only after training."""

from __future__ import annotations

from collections.abc import Iterator

from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun.api.trainers import AdapterLayout, TrainerConfig
from ftrun.utils.suggest import nearest
from ftrun_plugins.answer_formats.parser_names import CALL_FORMATS, REASONING_PARSERS, THOUGHT_TAGS, TOOL_PARSERS
from ftrun_plugins.serving.lora import RANKS

PARSERS = {"tool_parser": "parser of calls of tools", "reasoning_parser": "parser of thoughts"}


def check_serving(recipe: Recipe, config: TrainerConfig, layout: AdapterLayout | None) -> Iterator[Issue]:
    """Yield an issue if the context exceeds that of the model, or if an adapter that must be merged is not merged."""
    length, limit = recipe.serve.max_model_len, recipe.model.context_length
    if length and limit and length > limit:
        what = f"`serve.max_model_len` is {length}, but the model supports at most {limit} tokens"
        yield Issue("invalid-value", ("serve", "max_model_len"), what, f"at most {limit}")
    yield from _check_parsers(recipe)
    if layout is not None and "train" in recipe.stages and _loads_adapter(recipe):
        yield from _check_adapter(layout, config)


def _check_parsers(recipe: Recipe) -> Iterator[Issue]:
    """Yield an issue for each parser that the engine does not have. If the recipe names no engine, it is vLLM."""
    settings = (
        ("tool_parser", recipe.serve.tool_parser, TOOL_PARSERS, CALL_FORMATS),
        ("reasoning_parser", recipe.serve.reasoning_parser, REASONING_PARSERS, THOUGHT_TAGS),
    )
    for key, name, known, simple in settings:
        if name is None:
            continue
        path, what = ("serve", key), f"no {PARSERS[key]} named `{name}`"
        if name not in known:
            yield Issue(
                "unknown-name", path, f"vLLM has {what}", f"one of {', '.join(sorted(known))}", nearest(name, known)
            )
        elif recipe.serve.engine == "transformers" and name not in simple:
            listed = f"one of {', '.join(sorted(simple))}"
            yield Issue(
                "invalid-value", path, f"the engine `transformers` has {what}", listed, hint="or serve with vLLM"
            )


def _loads_adapter(recipe: Recipe) -> bool:
    """Return whether the engine loads the adapter itself, to serve it or to answer for evaluations."""
    if recipe.serve.engine == "vllm" and not recipe.serve.merged:
        return True
    answers = "generate" in recipe.stages and recipe.evals and recipe.generate.engine != "transformers"
    return "merge" not in recipe.stages and bool(recipe.serve.engine == "vllm" or answers)


def _check_adapter(layout: AdapterLayout, config: TrainerConfig) -> Iterator[Issue]:
    for key, part in layout.whole_parts.items():
        yield Issue(
            "unsupported-key",
            config.origins[key],
            f"vLLM cannot load an adapter with {part} (`{key}`)",
            hint="add the stage `merge`, and serve the merged model (serve=vllm)",
        )
    if layout.rank is not None and layout.rank[1] > max(RANKS):
        key, rank = layout.rank
        yield Issue(
            "unsupported-key",
            config.origins[key],
            f"`{key}` is {rank}, but vLLM supports adapters up to rank {max(RANKS)}",
            hint=f"lower `{key}`, or add the stage `merge` and serve the merged model (serve=vllm)",
        )
