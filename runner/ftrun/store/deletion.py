"""Removes runs and artifacts: renamed into the trash first, so that a crash leaves a thing whole or gone.

Nothing goes that an open run needs or that a living process works on. What a killed removal left in the trash goes with
the next.
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from ftrun.api.errors import Problem
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import Ref
from ftrun.store import runs
from ftrun.store.locks import FileLock, is_held
from ftrun.store.references import open_run_that_needs, refs_of
from ftrun.utils.atomic_io import read_json


def find_obstacle(store: Store, ref: Ref) -> Problem | None:
    """Why an artifact has to stay; None where nothing is in the way."""
    return _worked_on(store, ref) if is_held(store.lock(ref)) else _needed(store, ref)


def find_run_obstacle(store: Store, folder: RunFolder) -> Problem | None:
    """Why a run's record has to stay: its scheduler lives, or a stage process that outlived it."""
    record = runs.load(folder)
    if record.status in runs.OPEN:
        return Problem("run-active", f"{folder.id} is not over: {record.status}", hint=f"ftrun cancel {folder.id}")
    for ref in () if record.remote else refs_of(folder) or ():
        process = read_json(store.scratch(ref).process)
        if process and process["run"] == folder.id and is_held(store.lock(ref)):
            return Problem(
                "run-active", f"{ref.stage} of {folder.id} is still at work", hint=f"ftrun cancel {folder.id}"
            )
    return None


def remove_artifact(store: Store, ref: Ref) -> Problem | None:
    """Removes an artifact and its scratch; returns what is in the way by now, and then nothing is lost."""
    with FileLock(store.lock(ref)) as lock:
        if not lock.try_acquire():
            return _worked_on(store, ref)
        problem = _needed(store, ref)
        if problem is None:
            aside = _put_aside(store, store.artifact(ref))
            # a run that began meanwhile said so before it looked for artifacts: it missed this one, or is seen now
            problem = _needed(store, ref)
            if problem and aside and not store.artifact(ref).exists():
                aside.rename(store.artifact(ref))
        if problem is None:
            _put_aside(store, store.scratch(ref).root)
    return problem


def remove_scratch(store: Store, ref: Ref) -> Problem | None:
    """Removes what is left of a call's work, e.g. checkpoints; what is in the way, if something is."""
    with FileLock(store.lock(ref)) as lock:
        if not lock.try_acquire():
            return _worked_on(store, ref)
        _put_aside(store, store.scratch(ref).root)
    return None


def remove_run(store: Store, folder: RunFolder) -> Problem | None:
    """Removes a run's record, logs and report; what is in the way, if something is by now."""
    with FileLock(folder.lock) as lock:
        if not lock.try_acquire():
            return Problem("run-active", f"{folder.id} is not over", hint=f"ftrun cancel {folder.id}")
        _put_aside(store, folder.root)
    return None


def empty_trash(store: Store) -> None:
    """Deletes what was put aside, also by a removal that was killed."""
    shutil.rmtree(store.trash, ignore_errors=True)


def _needed(store: Store, ref: Ref) -> Problem | None:
    run = open_run_that_needs(store, ref)
    return (
        Problem("run-active", f"{ref} is needed by {run}, which is not over", hint=f"ftrun cancel {run}")
        if run
        else None
    )


def _worked_on(store: Store, ref: Ref) -> Problem:
    run = (read_json(store.scratch(ref).process) or {}).get("run")
    do = f"ftrun cancel {run}" if run else "wait until it has ended, or end the server of it"
    return Problem("run-active", f"a living process works on {ref}", hint=do)


def _put_aside(store: Store, path: Path) -> Path | None:
    """Moves something into the trash by one rename; None where it is not there."""
    store.trash.mkdir(parents=True, exist_ok=True)
    target = store.trash / f"{path.parent.name}-{path.name}-{secrets.token_hex(4)}"
    try:
        path.rename(target)
    except FileNotFoundError:
        return None
    return target
