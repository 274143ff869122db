"""The plan of `evaluate`: columns that form clusters, and keys that do not fit an evaluator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.paths import Store
from ftrun.api.stage_call import StageCall
from ftrun.execution.engine import make_backend
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded

Planned = Callable[..., StageCall]


@pytest.fixture
def planned(loading: Callable[..., Loaded], store: Store, folder: Path) -> Planned:
    def plan(*overrides: str) -> StageCall:
        recipe = loading(*overrides).recipe
        calls = make_plan(recipe, plugins(), make_backend(recipe, plugins(), store)).calls
        return next(call for call in calls if call.label == "evaluate")

    return plan


def test_the_column_of_the_split_forms_clusters(planned: Planned) -> None:
    call = planned("evals=[exact_match]", "dataset.split.by=document")
    assert call.params["group_columns"] == ["document"]
    assert set(call.inputs) == {"exact_match", "format:"}
    named = planned("evals=[exact_match]", "evals.exact_match.cluster=user", "evals.exact_match.slices=[length:prompt]")
    assert named.params["group_columns"] == []
    assert named.params["evals"]["exact_match"]["cluster"] == "user"
    assert named.params["evals"]["exact_match"]["slices"] == ["length:prompt"]


def test_a_gate_and_a_cluster_score_nothing_again(planned: Planned) -> None:
    first = planned("evals=[exact_match]")
    other = planned("evals=[exact_match]", "evals.exact_match.gate.min=0.5", "evals.exact_match.cluster=user")
    assert (first.inputs, first.key != other.key) == (other.inputs, True)


@pytest.mark.parametrize("override", ["cluster=document", "slices=[document]"])
def test_rows_of_another_dataset_have_no_columns(override: str, planned: Planned) -> None:
    with pytest.raises(InvalidInput) as refused:
        planned("evals=[lm_eval]", "evals.lm_eval.task=gsm8k", f"evals.lm_eval.{override}")
    (problem,) = refused.value.problems
    assert (problem.code, problem.at) == ("unsupported-evaluation", f"evals.lm_eval.{override.partition('=')[0]}")
