"""What has changed by itself since a run: its recipe's files, data, code, environments, versions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

import yaml

from ftrun.api.errors import FtrunError, Problem
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import Plan, StageCall
from ftrun.cli.session import Session
from ftrun.execution.engine import read_plan
from ftrun.execution.provenance import collect_provenance
from ftrun.planning.cache_miss import own_differences
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun.recipe.yaml_files import leaves
from ftrun.store.env_packages import load_packages
from ftrun.store.runs import RunRecord
from ftrun.utils.value_format import shorten_value

MOST_NAMED = 3  # values or packages in one line
DIGITS = 12  # shown of a digest or commit


def find_drift(folder: RunFolder, record: RunRecord, now: Session | None) -> list[str]:
    """One line for each thing that is another by now; `now` is the run's recipe, planned today."""
    found = list(_recipe(record, folder))
    if now is not None:
        found += _calls(read_plan(folder), now)
        found += _versions(record.facts, collect_provenance(now.plan, now.backend), now.store)
    return list(dict.fromkeys(found))


def find_missing_files(plan: Plan) -> Iterator[Problem]:
    """A problem for each file or folder of this machine that a run read and that is no longer there."""
    places = {place: (digest, call) for call in plan.calls for digest, place in call.local_files.items()}
    for place, (digest, call) in places.items():
        if not place.exists():
            yield Problem(
                "file-not-found",
                f"`{place.name}` is gone, which {call.label} of the run read",
                str(place),
                f"the same content: digest {digest[:DIGITS]}…",
                hint="put it back, or name another by an override; `ftrun files RUN` lists what the run made of it",
            )


def _recipe(record: RunRecord, folder: RunFolder) -> Iterator[str]:
    """Whether the files of the recipe still say what the run recorded."""
    if any("=" not in override and not override.startswith("~") for override in record.overrides):
        return  # another verb made the recipe, not its files alone
    where = Path(record.facts.get("folder") or os.curdir)
    try:
        with chdir(where if where.is_dir() else os.curdir):
            today = load(record.overrides, plugins()).recipe.model_dump(mode="json")
    except FtrunError as error:
        yield f"the recipe cannot be composed any more ({error.problems[0].what}): the run's own copy is used"
        return
    then, new = _values(yaml.safe_load(folder.recipe.read_text(encoding="utf-8"))), _values(today)
    differing = [path for path in dict.fromkeys([*then, *new]) if then.get(path) != new.get(path)]
    if differing:
        said = [
            f"{path} {shorten_value(then.get(path))}, there {shorten_value(new.get(path))}"
            for path in differing[:MOST_NAMED]
        ]
        more = f"; {len(differing) - MOST_NAMED} more" if len(differing) > MOST_NAMED else ""
        yield f"the recipe's files say otherwise, and the run's own copy is used: {'; '.join(said)}{more}"


def _values(recipe: dict[str, Any]) -> dict[str, Any]:
    return {".".join(map(str, path)): value for path, value in leaves(recipe)}


def _calls(then: Plan, now: Session) -> Iterator[str]:
    """What enters the keys: contents of files, code, environments. Inputs follow from it and are left out."""
    before = {call.label: call for call in then.calls}
    for call in now.plan.calls:
        if call.label not in before:
            yield f"{call.label} is new"
        elif before[call.label].key != call.key:
            yield from _differences(before[call.label], call)
    for label in before.keys() - {call.label for call in now.plan.calls}:
        yield f"{label} is no longer made"


def _differences(before: StageCall, now: StageCall) -> Iterator[str]:
    for text in own_differences(before, now):
        yield text if text.startswith(("the content of", "the code of", "the environment")) else f"{now.label}: {text}"


def _versions(then: Mapping[str, Any], now: Mapping[str, Any], store: Store) -> Iterator[str]:
    for name in ("ftrun", "python"):
        if name in then and then[name] != now[name]:
            yield f"{name} {then[name]} -> {now[name]}"
    yield from _packages("", then.get("versions", {}), now["versions"])
    for name, digest in now["environments"].items():
        old = then.get("environments", {}).get(name)
        if old and old != digest:
            was, is_now = load_packages(store, old), load_packages(store, digest)
            if was is not None and is_now is not None:
                yield from _packages(f"the environment `{name}`: ", was, is_now)
    yield from _git(then.get("git") or {}, now["git"] or {})


def _packages(prefix: str, then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    differing = [name for name in dict.fromkeys([*then, *now]) if then.get(name) != now.get(name)]
    said = [f"{name} {then.get(name, 'none')} -> {now.get(name, 'none')}" for name in differing[:MOST_NAMED]]
    if said:
        more = f", {len(differing) - MOST_NAMED} more" if len(differing) > MOST_NAMED else ""
        yield f"{prefix}{', '.join(said)}{more}"


def _git(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Of the current folder: another commit says that code may have changed, not that it matters."""
    if then.get("commit") and now.get("commit") and then["commit"] != now["commit"]:
        yield f"the git commit of the current folder {then['commit'][:DIGITS]} -> {now['commit'][:DIGITS]}"
