"""Planning and execution of real stages in a temporary store, for components that need not be installed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from ftrun import hookimpl
from ftrun.api.artifacts import FormattedRows
from ftrun.api.backends import Backend
from ftrun.api.cancellation import StopSignal
from ftrun.api.paths import Store
from ftrun.api.recipe import Recipe
from ftrun.api.stage_call import Plan, StageCall
from ftrun.execution.engine import make_backend
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import Plugins, load_all
from ftrun.recipe.load import load
from ftrun.store import runs

RECIPE = "contract.yaml"
# Required sections of a recipe besides the dataset. Planning does not download the model.
MODEL = {"base_model": "example/model", "revision": "0" * 40}
TRAIN = {"sequence_len": 512, "micro_batch_size": 1, "num_epochs": 1, "learning_rate": 1e-4}


def registry(kind: str, cls: type[Any]) -> Plugins:
    """Load all installed plugins, and register this component if it is not among them."""
    loaded, _ = load_all()
    registered = loaded.of_kind(kind).get(cls.name)
    if registered is None:
        module = ModuleType("contract")
        setattr(module, f"ftrun_register_{kind}s", hookimpl(lambda register: register(cls)))
        loaded.load(module, "contract", "the contract's test")
        return loaded
    assert registered.cls is cls, f"{registered.distribution} registers another {kind} with the name `{cls.name}`"
    return loaded


def read_recipe(folder: Path, loaded: Plugins, *overrides: str) -> Recipe:
    """Return the recipe `contract.yaml` of a folder."""
    return load([f"recipe={folder / RECIPE}", *overrides], loaded).recipe


def plan_recipe(folder: Path, loaded: Plugins, recipe: Recipe) -> tuple[Plan, Backend, Store]:
    """Return the plan of a recipe, with a backend and a store inside the folder to run it."""
    store = Store(folder / "store")
    backend = make_backend(recipe, loaded, store)
    return make_plan(recipe, loaded, backend), backend, store


def write_recipe(folder: Path, recipe: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECIPE).write_text(yaml.safe_dump(dict(recipe), sort_keys=False, allow_unicode=True), encoding="utf-8")


def run_calls(calls: Sequence[StageCall], backend: Backend, store: Store) -> list[Path]:
    """Run calls in order, each in a separate process, and return their artifacts.

    Raises:
        AssertionError: If a call fails. The calls after it do not run.
    """
    run = runs.create(store, "contract", (), {}, {}, backend.name)
    for call in calls:
        outcome = backend.runner().run_stage(call, run, StopSignal())
        log = run.log(call.label)
        output = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        assert outcome.status == "done", f"{call.label} {outcome.status}: {outcome.problems}\n{output}"
    return [store.artifact(call.ref) for call in calls]


def format_rows(
    formatter: type[Any], options: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], folder: Path
) -> list[dict[str, Any]]:
    """Run the stage `format` on rows and return the examples that it writes."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(dict(row), ensure_ascii=False) + "\n" for row in rows)
    (folder / "rows.jsonl").write_text(text, encoding="utf-8")
    dataset = {"source": {"name": "jsonl", "path": "rows.jsonl"}, "formatter": {"name": formatter.name, **options}}
    write_recipe(folder, {"model": MODEL, "dataset": dataset, "train": TRAIN, "stages": ["format"]})
    loaded = registry("formatter", formatter)
    plan, backend, store = plan_recipe(folder, loaded, read_recipe(folder, loaded))
    (artifact,) = run_calls(plan.calls, backend, store)
    return [dict(example) for example in FormattedRows(artifact).examples("train")]
