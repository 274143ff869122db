"""The benchmark of `ftrun serve` starts its engines by the functions that `ftrun serve` uses."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import create_autospec

import pytest

from ftrun_plugins.serving.middleware import KEY
from helpers.workplace import PROJECT


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(PROJECT / "benchmarks")
    return importlib.import_module("bench_serve")


def test_one_engine_is_guarded_and_the_other_is_not(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch, engine = create_autospec(bench.launch), create_autospec(bench.Engine)
    monkeypatch.setattr(bench, "launch", launch)
    monkeypatch.setattr(bench, "Engine", engine)
    monkeypatch.setattr(bench.subprocess, "run", lambda *_, **__: SimpleNamespace(stdout="/env/bin/python\n"))
    with bench._engines(str(tmp_path), tmp_path) as (model, ports):
        assert model == "base"
    (guarded, variables, _), (bare, bare_variables, _) = (call.args for call in launch.call_args_list)
    assert ("--middleware" in guarded, variables.get(KEY)) == (True, bench.KEY)
    assert ("--middleware" in bare, bare_variables.get(KEY)) == (False, None)
    assert set(guarded) - set(bare) == {"--middleware", guarded[guarded.index("--middleware") + 1], str(ports[0])}
    assert engine.return_value.stop.call_count == 2
