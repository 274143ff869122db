"""What the engine would refuse once everything is trained, told while training can still be changed."""

from __future__ import annotations

from collections.abc import Iterator

from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun_plugins.axolotl.config.build import TrainerConfig, build_trainer_config
from ftrun_plugins.serving.lora import RANKS

HELD_WHOLE = {
    "lora_modules_to_save": "modules that are saved whole",
    "tokens": "added tokens",
    "added_tokens_overrides": "added tokens",
    "peft_use_dora": "DoRA",
}


def check_serving(recipe: Recipe) -> Iterator[Issue]:
    """An adapter that can only be served merged and is not, and a context that the model does not have."""
    length, limit = recipe.serve.max_model_len, recipe.model.context_length
    if length and limit and length > limit:
        what = f"serve.max_model_len {length} is over the model's maximum of {limit} tokens"
        yield Issue("invalid-value", ("serve", "max_model_len"), what, f"at most {limit}")
    config = build_trainer_config(recipe)
    if config.values.get("adapter") and "train" in recipe.stages and _is_unmerged(recipe):
        yield from _unservable(config)


def _is_unmerged(recipe: Recipe) -> bool:
    """Whether the engine gets the adapter itself: as the recipe wants it served, or to answer the evaluations."""
    if recipe.serve.engine == "vllm" and not recipe.serve.merged:
        return True
    answers = "generate" in recipe.stages and recipe.evals and recipe.generate.engine != "transformers"
    return "merge" not in recipe.stages and bool(recipe.serve.engine == "vllm" or answers)


def _unservable(config: TrainerConfig) -> Iterator[Issue]:
    for key, what in HELD_WHOLE.items():
        if config.values.get(key):
            yield Issue(
                "unsupported-key",
                config.origins[key],
                f"vLLM cannot hold an adapter with {what} (`{key}`)",
                hint="add the stage `merge` and serve the merged model (serve=vllm)",
            )
    rank = config.values.get("lora_r")
    if isinstance(rank, int) and rank > max(RANKS):
        yield Issue(
            "unsupported-key",
            config.origins["lora_r"],
            f"vLLM holds adapters up to rank {max(RANKS)}, and lora_r is {rank}",
            hint="lower lora_r, or merge and serve the merged model (serve=vllm)",
        )
