"""Changes since a run that no override made: in its recipe's files, data, code, environments and versions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

from ftrun.api.errors import FtrunError, Problem
from ftrun.api.paths import RunFolder, Store
from ftrun.api.redaction import redact_all
from ftrun.api.stage_call import Plan, StageCall
from ftrun.execution.provenance import collect_provenance
from ftrun.planning.cache_miss import own_differences
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun.recipe.yaml_files import leaves
from ftrun.store.env_packages import load_packages
from ftrun.store.run_plan import read_plan_if_possible, read_recipe_values
from ftrun.store.runs import RunRecord
from ftrun.utils.value_format import shorten_value
from ftrun.workflow.session import Session

MOST_NAMED = 3  # values or packages per line
DIGITS = 12  # of a digest or commit


def find_drift(folder: RunFolder, record: RunRecord, now: Session | None) -> list[str]:
    """Return one line for each change since a run. `now` is the run's recipe, planned today."""
    changes = list(_compare_recipe(record, folder))
    if now is not None:
        then = read_plan_if_possible(folder)
        changes += _compare_calls(then, now) if then is not None else ()
        changes += _compare_versions(record.facts, collect_provenance(now.plan, now.backend), now.store)
    return list(dict.fromkeys(changes))


def find_missing_files(plan: Plan) -> Iterator[Problem]:
    """Yield a problem for each local file or folder that a run read and that no longer exists."""
    places = {place: (digest, call) for call in plan.calls for digest, place in call.local_files.items()}
    for place, (digest, call) in places.items():
        if not place.exists():
            yield Problem(
                "file-not-found",
                f"`{place.name}`, which {call.label} of the run read, no longer exists",
                str(place),
                f"the same content, with the digest {digest[:DIGITS]}…",
                hint="restore it, or name another with an override; `ftrun files RUN` lists what the run made from it",
            )


def _compare_recipe(record: RunRecord, folder: RunFolder) -> Iterator[str]:
    """Yield a line if the files of the recipe no longer give the values that the run recorded."""
    if any("=" not in override and not override.startswith("~") for override in record.overrides):
        return  # another verb, such as `rehearse`, has changed the recipe of the files
    working_dir = Path(record.facts.get("folder") or os.curdir)
    try:
        with chdir(working_dir if working_dir.is_dir() else os.curdir):
            today = load(record.overrides, plugins()).recipe.model_dump(mode="json")
    except FtrunError as error:
        yield f"the recipe can no longer be composed ({error.problems[0].what}), so the run's recorded copy is used"
        return
    then, new = (_flatten(redact_all(recipe)) for recipe in (read_recipe_values(folder), today))
    differing = [path for path in dict.fromkeys([*then, *new]) if then.get(path) != new.get(path)]
    if differing:
        changes = [
            f"{path} {shorten_value(then.get(path))} -> {shorten_value(new.get(path))}"
            for path in differing[:MOST_NAMED]
        ]
        more = f"; {len(differing) - MOST_NAMED} more" if len(differing) > MOST_NAMED else ""
        yield f"the recipe's files have changed, but the run's recorded copy is used: {'; '.join(changes)}{more}"


def _flatten(recipe: dict[str, Any]) -> dict[str, Any]:
    return {".".join(map(str, path)): value for path, value in leaves(recipe)}


def _compare_calls(then: Plan, now: Session) -> Iterator[str]:
    """Yield changes of what enters the keys: contents of files, code, environments.

    Changes of inputs are left out, because they follow from these.
    """
    before = {call.label: call for call in then.calls}
    for call in now.plan.calls:
        if call.label not in before:
            yield f"{call.label} is new"
        elif before[call.label].key != call.key:
            yield from _describe_changes(before[call.label], call)
    for label in before.keys() - {call.label for call in now.plan.calls}:
        yield f"{label} is no longer planned"


def _describe_changes(before: StageCall, now: StageCall) -> Iterator[str]:
    """Yield the differences of a call. Only those that no other call can share begin with its label."""
    for kind, text in own_differences(before, now):
        yield text if kind in ("content", "code", "environment") else f"{now.label}: {text}"


def _compare_versions(then: Mapping[str, Any], now: Mapping[str, Any], store: Store) -> Iterator[str]:
    for name in ("ftrun", "python"):
        if name in then and then[name] != now[name]:
            yield f"{name} {then[name]} -> {now[name]}"
    if then.get("code") and then["code"] != now["code"]:
        yield f"the code of ftrun {then['code'][:DIGITS]} -> {now['code'][:DIGITS]}"
    kind = "packages" if "packages" in then else "versions"
    yield from _compare_packages("", then.get(kind, {}), now[kind])
    for name, digest in now["environments"].items():
        old = then.get("environments", {}).get(name)
        if old and old != digest:
            old_packages, new_packages = load_packages(store, old), load_packages(store, digest)
            if old_packages is not None and new_packages is not None:
                yield from _compare_packages(f"the environment `{name}`: ", old_packages, new_packages)
    yield from _compare_commits(then.get("git") or {}, now["git"] or {})


def _compare_packages(prefix: str, then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    differing = [name for name in dict.fromkeys([*then, *now]) if then.get(name) != now.get(name)]
    changes = [f"{name} {then.get(name, 'none')} -> {now.get(name, 'none')}" for name in differing[:MOST_NAMED]]
    if changes:
        more = f", {len(differing) - MOST_NAMED} more" if len(differing) > MOST_NAMED else ""
        yield f"{prefix}{', '.join(changes)}{more}"


def _compare_commits(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield a change of the current folder's commit. It shows that code may have changed, not that the result did."""
    if then.get("commit") and now.get("commit") and then["commit"] != now["commit"]:
        yield f"the git commit of the current folder {then['commit'][:DIGITS]} -> {now['commit'][:DIGITS]}"
