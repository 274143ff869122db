"""What the engine would refuse once everything is trained, told while training can still be changed."""

from __future__ import annotations

from collections.abc import Iterator

from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun.api.trainers import AdapterLayout, TrainerConfig
from ftrun_plugins.serving.lora import RANKS


def check_serving(recipe: Recipe, config: TrainerConfig, layout: AdapterLayout | None) -> Iterator[Issue]:
    """An adapter that can only be served merged and is not, and a context that the model does not have."""
    length, limit = recipe.serve.max_model_len, recipe.model.context_length
    if length and limit and length > limit:
        what = f"serve.max_model_len {length} is over the model's maximum of {limit} tokens"
        yield Issue("invalid-value", ("serve", "max_model_len"), what, f"at most {limit}")
    if layout is not None and "train" in recipe.stages and _is_unmerged(recipe):
        yield from _unservable(layout, config)


def _is_unmerged(recipe: Recipe) -> bool:
    """Whether the engine gets the adapter itself: as the recipe wants it served, or to answer the evaluations."""
    if recipe.serve.engine == "vllm" and not recipe.serve.merged:
        return True
    answers = "generate" in recipe.stages and recipe.evals and recipe.generate.engine != "transformers"
    return "merge" not in recipe.stages and bool(recipe.serve.engine == "vllm" or answers)


def _unservable(layout: AdapterLayout, config: TrainerConfig) -> Iterator[Issue]:
    for key, part in layout.whole_parts.items():
        yield Issue(
            "unsupported-key",
            config.origins[key],
            f"vLLM cannot hold an adapter with {part} (`{key}`)",
            hint="add the stage `merge` and serve the merged model (serve=vllm)",
        )
    if layout.rank is not None and layout.rank[1] > max(RANKS):
        key, rank = layout.rank
        yield Issue(
            "unsupported-key",
            config.origins[key],
            f"vLLM holds adapters up to rank {max(RANKS)}, and {key} is {rank}",
            hint=f"lower {key}, or merge and serve the merged model (serve=vllm)",
        )
