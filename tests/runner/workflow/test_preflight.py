from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.paths import Store
from ftrun.api.stage_call import EnvironmentRef, Plan, Ref, StageCall
from ftrun.execution.engine import make_backend
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded
from ftrun.store.artifacts import find
from ftrun.workflow.preflight import run_preflight
from ftrun.workflow.session import Session

STAGE = """
from ftrun.api.errors import InvalidInput, Problem

class Checked:
    def run(self, call, context):
        if call.params["bad"]:
            raise InvalidInput(Problem("invalid-value", call.params["bad"], at=call.label))
"""
Made = Callable[..., StageCall]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "checked_stage.py").write_text(STAGE)
    monkeypatch.syspath_prepend(tmp_path / "modules")

    def make(label: str, bad: str | None = None, environment: str = "client", **more: object) -> StageCall:
        return StageCall(
            stage="checked",
            version=1,
            params={"bad": bad, "label": label},
            environment=EnvironmentRef(name=environment),
            label=label,
            implementation="checked_stage:Checked",
            **{"preflight": True, **more},
        )

    yield make
    sys.modules.pop("checked_stage", None)


@pytest.fixture
def preflight(loading: Callable[..., Loaded], store: Store) -> Callable[..., set[str]]:
    """Runs the preflight calls among calls, and returns the labels of those with an artifact."""

    def run(*calls: StageCall) -> set[str]:
        loaded = loading()
        backend = make_backend(loaded.recipe, plugins(), store)
        run_preflight(Session(loaded, plugins(), store, backend, Plan(recipe="mine", calls=calls)))
        return {call.label for call in calls if find(store, call.ref)}

    return run


def test_calls_that_only_check_run_and_are_cached(call: Made, preflight: Callable[..., set[str]], store: Store) -> None:
    calls = call("a"), call("b", preflight=False)
    assert preflight(*calls) == {"a"}
    assert preflight(*calls) == {"a"}
    assert not list(store.root.glob("runs/*"))


def test_the_problems_of_all_checks_are_reported_at_once(call: Made, preflight: Callable[..., set[str]]) -> None:
    with pytest.raises(InvalidInput) as caught:
        preflight(call("a", bad="x is bad"), call("b"), call("c", bad="y is bad"))
    assert [(problem.code, problem.at) for problem in caught.value.problems] == [
        ("invalid-value", "a"),
        ("invalid-value", "c"),
    ]


def test_calls_whose_inputs_or_environment_are_missing_are_left_to_the_run(
    call: Made, preflight: Callable[..., set[str]]
) -> None:
    missing = {"model": Ref(stage="fetch", key="1" * 32)}
    assert preflight(call("a", inputs=missing), call("b", environment="trainer")) == set()
