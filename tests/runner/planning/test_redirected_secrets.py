"""A token is not given to a stage whose environment would send it to a host that the user did not name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.paths import Store
from ftrun.api.stage_call import StageCall
from ftrun.execution.engine import make_backend
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded

Fetch = Callable[..., StageCall]
REVISION = "0" * 40
MIRROR = "https://mirror.example"
ELSEWHERE = f"environment.trainer.variables.HF_ENDPOINT={MIRROR}"


@pytest.fixture
def fetch(loading: Callable[..., Loaded], store: Store) -> Fetch:
    """Plans the download of a model of the hub."""

    def plan(*overrides: str) -> StageCall:
        hub = ("model.weights={origin: hub}", f"model.revision={REVISION}", "stages=[fetch]")
        recipe = loading(*hub, *overrides).recipe
        calls = make_plan(recipe, plugins(), make_backend(recipe, plugins(), store)).calls
        return next(call for call in calls if call.label == "fetch:model")

    return plan


def test_another_hub_gets_no_token(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert fetch().optional_secrets == ("huggingface",)
    call = fetch(ELSEWHERE)
    assert call.optional_secrets == ()
    assert any("HF_ENDPOINT" in note for note in call.notes)


def test_the_hub_of_the_user_gets_the_token(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", MIRROR)
    assert fetch(ELSEWHERE).optional_secrets == ("huggingface",)
    assert fetch(f"{ELSEWHERE}.other").optional_secrets == ()


def test_a_required_token_for_another_hub_is_refused(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    with pytest.raises(InvalidInput) as caught:
        fetch(ELSEWHERE, "model.gated=true")
    (problem,) = caught.value.problems
    assert (problem.code, problem.at) == ("redirected-secret", "environment.trainer.variables.HF_ENDPOINT")
