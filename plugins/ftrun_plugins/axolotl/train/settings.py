"""Trainer keys that do not change the trained weights: how often training logs and saves, and which trackers follow it.

They reach the stage as settings of its call, outside the key. So a trained model stays cached when they change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LOG_KEYS = frozenset({"include_tkps", "include_tokens_per_second", "logging_steps"})
TRACKERS = ("comet", "mlflow", "otel_metrics", "swanlab", "tensorboard", "trackio", "wandb")
SAVE_KEYS = frozenset(
    {"save_first_step", "save_safetensors", "save_steps", "save_strategy", "save_total_limit", "saves_per_epoch"}
)


def split_settings(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the keys of a configuration that can change the weights, and the others."""
    settings = {key: value for key, value in config.items() if _is_setting(key, config)}
    return {key: value for key, value in config.items() if key not in settings}, settings


def _is_setting(key: str, config: Mapping[str, Any]) -> bool:
    if key in SAVE_KEYS:
        return not _may_keep_the_best(config)
    return key in LOG_KEYS or any(key.startswith((f"{name}_", f"use_{name}", f"hf_{name}_")) for name in TRACKERS)


def _may_keep_the_best(config: Mapping[str, Any]) -> bool:
    """Return whether the result may be the best of the saved checkpoints.

    axolotl 0.21 keeps the best one if saves coincide with evaluations, unless `load_best_model_at_end` is false
    (`axolotl.core.builders.causal`).
    """
    if config.get("early_stopping_patience"):
        return True
    evaluates = any(config.get(key) for key in ("eval_steps", "evals_per_epoch"))  # the second becomes the first
    return evaluates and config.get("load_best_model_at_end") is not False
