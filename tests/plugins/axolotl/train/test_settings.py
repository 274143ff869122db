from __future__ import annotations

from typing import Any

import pytest

from ftrun_plugins.axolotl.train.settings import split_settings

SAVES = {"save_steps": 20, "save_total_limit": 2}


def test_logs_saves_and_trackers_are_settings() -> None:
    settings = {
        **SAVES,
        "logging_steps": 5,
        "use_wandb": True,
        "wandb_project": "mine",
        "hf_mlflow_log_artifacts": True,
    }
    trained = {"learning_rate": 1e-3, "use_dora": True, "save_only_model": True, "max_steps": 9}
    assert split_settings({**trained, **settings}) == (trained, settings)


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param({"eval_steps": 10}, id="evaluations by steps"),
        pytest.param({"evals_per_epoch": 2}, id="evaluations by epoch"),
        pytest.param({"early_stopping_patience": 3, "load_best_model_at_end": False}, id="early stopping"),
    ],
)
def test_saves_count_if_the_best_checkpoint_may_be_the_result(keys: dict[str, Any]) -> None:
    config = {**SAVES, **keys}
    assert split_settings(config) == (config, {})


def test_saves_do_not_count_if_the_last_step_is_the_result() -> None:
    kept = {"eval_steps": 10, "load_best_model_at_end": False}
    assert split_settings({**SAVES, **kept}) == (kept, SAVES)
