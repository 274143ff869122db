"""A checkpoint is chosen by validation rows, never by the held-out rows that evaluations score."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.recipe.load import Loaded
from ftrun_plugins.axolotl.config.best_checkpoint import keeps_last_checkpoint
from ftrun_plugins.axolotl.train.params import Params
from ftrun_plugins.axolotl.train.trainer_config import EVALUATED, complete_config

Loading = Callable[..., Loaded]
KEYS = (
    "early_stopping_patience=2",
    "load_best_model_at_end=true",
    "metric_for_best_model=eval_loss",
    "greater_is_better=true",
    "greater_is_better=false",
)
EVALUATES = ("train.eval_steps=5", "train.save_steps=10")
VALIDATION = "dataset.split.validation=0.1"
WITHOUT_ROWS = ("dataset.held_out=null", "dataset.split.held_out=0", "evals=[]")


@pytest.mark.parametrize("key", KEYS)
def test_a_choice_needs_evaluations_by_validation_rows(key: str, loading: Loading) -> None:
    for more in ((), ("train.eval_strategy=no", VALIDATION), WITHOUT_ROWS, EVALUATES):
        with pytest.raises(InvalidInput) as caught:
            loading(f"train.{key}", *more)
        assert f"override train.{key}" in [problem.at for problem in caught.value.problems]
    loading(f"train.{key}", *EVALUATES, VALIDATION)


def test_held_out_rows_may_choose_if_no_evaluation_scores_them(loading: Loading) -> None:
    loading("train.load_best_model_at_end=true", *EVALUATES, "evals=[]")


def test_validation_rows_are_enough_for_evaluations_of_the_trainer(loading: Loading) -> None:
    loading(*EVALUATES, *WITHOUT_ROWS, VALIDATION)


@pytest.mark.parametrize(
    ("overrides", "last"),
    [
        ((), False),
        (EVALUATES, True),
        ((*EVALUATES, VALIDATION), False),
        ((*EVALUATES, "evals=[]"), False),
        ((*EVALUATES, "train.load_best_model_at_end=false"), False),
    ],
)
def test_the_trainer_keeps_the_last_checkpoint_if_only_held_out_rows_could_choose(
    overrides: tuple[str, ...], last: bool, loading: Loading
) -> None:
    loaded = loading(*overrides)

    assert keeps_last_checkpoint(loaded.recipe, loaded.recipe.train) is last


def test_the_trainer_evaluates_the_validation_rows_if_there_are_any() -> None:
    params = Params(trainer={}, accelerator="cpu", processes=1, base_model="m", revision=None, trust_remote_code=False)
    for splits in (("train", "validation", "held_out"), ("train", "held_out"), ("train",)):
        entries = complete_config(params, splits).get("test_datasets", [])
        assert [entry["path"].rpartition("/")[2] for entry in entries] == [
            split for split in EVALUATED if split in splits
        ][:1]
