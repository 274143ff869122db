"""Writes runs that have ended: record, recipe, plan, events, and small files of what they made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ftrun.api.events import add, make
from ftrun.api.manifest import Manifest, StoredFile
from ftrun.api.paths import MANIFEST, RunFolder, Store
from ftrun.api.recipe import Recipe
from ftrun.api.stage_call import EnvironmentRef, Plan, Ref, StageCall
from ftrun.execution.engine import prepare
from ftrun.store import runs
from ftrun.utils.atomic_io import write_json
from ftrun.utils.digests import sha256_of

Files = Mapping[str, Any]  # by `call/name`; lists become JSON lines, where the name says so


def call(label: str, inputs: Mapping[str, Ref] | None = None, **params: Any) -> StageCall:
    return StageCall(
        stage=label.partition(":")[0],
        version=1,
        params=params,
        inputs=dict(inputs or {}),
        environment=EnvironmentRef(name="client"),
        label=label,
        implementation="a:B",
    )


def ended_run(
    store: Store,
    recipe: Recipe,
    calls: Sequence[StageCall],
    files: Files | None = None,
    metrics: Mapping[str, Any] | None = None,
    events: Iterable[tuple[str, str | None, Mapping[str, Any]]] = (),
    overrides: tuple[str, ...] = ("recipe=mine",),
    record: Mapping[str, Any] | None = None,
) -> RunFolder:
    """A run whose calls have all been made, unless `record` says otherwise."""
    folder = prepare(store, recipe, Plan(recipe=recipe.name, calls=tuple(calls)), overrides, {}, {"python": "3.11"})
    written = runs.load(folder).model_copy(update={"status": "done", "started": 1000.0, "ended": 1090.0})
    written.results = {
        one.label: {
            "artifact": str(one.ref),
            "seconds": 1.5,
            "metrics": dict((metrics or {}).get(one.label, {})),
            "facts": {},
        }
        for one in calls
    }
    runs.save(folder, written.model_copy(update=dict(record or {})))
    by_label = {one.label: one for one in calls}
    for place, content in (files or {}).items():
        label, _, name = place.rpartition("/")
        path = store.artifact(by_label[label].ref) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = name.endswith(".jsonl")
        path.write_text("".join(json.dumps(line) + "\n" for line in content) if lines else json.dumps(content))
    for one in calls:
        if store.artifact(one.ref).is_dir():
            write_manifest(store, one, folder.id)
    for kind, label, values in events:
        add(folder.events, make(kind, label, **values))
    return folder


def with_train(recipe: Recipe, **keys: Any) -> Recipe:
    """A recipe with trainer keys that ftrun refuses today, as an older version recorded it."""
    return recipe.model_copy(update={"train": {**recipe.train, **keys}})


def write_manifest(store: Store, one: StageCall, run: str) -> None:
    """Lists the files that an artifact has."""
    folder = store.artifact(one.ref)
    files = [
        StoredFile(path=path.relative_to(folder).as_posix(), size=path.stat().st_size, sha256=sha256_of(path))
        for path in folder.rglob("*")
        if path.is_file() and path.name != MANIFEST
    ]
    manifest = Manifest(
        stage=one.stage, key=one.key, identity=one.identity, files=tuple(files), created=1.0, seconds=1.5, run=run
    )
    write_json(folder / MANIFEST, manifest.model_dump(mode="json"))


def result(base: float, tuned: float, interval: tuple[float, float], verdict: str, **more: Any) -> dict[str, Any]:
    """What `evaluate` says of one evaluation."""
    return {
        "evaluator": "exact_match",
        "higher_is_better": True,
        "rows": 100,
        "base": base,
        "tuned": tuned,
        "gain": tuned - base,
        "interval": list(interval),
        "confidence": 0.95,
        "verdict": verdict,
        **more,
    }
