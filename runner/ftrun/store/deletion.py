"""Deletion of runs and artifacts.

Each folder is renamed into the trash before it is deleted, so a crash leaves it either complete or gone. Artifacts
that an open run needs or that a running process uses are not deleted. If a deletion is killed, the next one deletes
what it left in the trash.
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from ftrun.api.errors import Problem
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import Ref
from ftrun.api.stored_files import read_process
from ftrun.store import runs
from ftrun.store.locks import FileLock, is_held
from ftrun.store.processes import live_processes
from ftrun.store.references import find_open_run


def find_obstacle(store: Store, ref: Ref) -> Problem | None:
    """Return the reason why an artifact cannot be removed, or None."""
    return _lock_problem(store, ref) if is_held(store.lock(ref)) else _open_run_problem(store, ref)


def find_run_obstacle(store: Store, folder: RunFolder) -> Problem | None:
    """Return the reason why a run cannot be removed, or None.

    The reason is a running scheduler, or a stage process that is still running after its scheduler ended.
    """
    record = runs.load_readable(folder)
    if record is not None and record.status in runs.OPEN:
        what = f"the run `{folder.id}` has not ended: {record.status}"
        return Problem("run-active", what, hint=f"ftrun cancel {folder.id}")
    for process in live_processes(store).get(folder.id, ()):
        what = f"the stage call `{process.call}` of the run `{folder.id}` is still running"
        return Problem("run-active", what, hint=f"ftrun cancel {folder.id}")
    return None


def remove_artifact(store: Store, ref: Ref) -> Problem | None:
    """Remove an artifact and its scratch folder; if that is not possible, change nothing and return the reason."""
    with FileLock(store.lock(ref)) as lock:
        if not lock.try_acquire():
            return _lock_problem(store, ref)
        problem = _open_run_problem(store, ref)
        if problem is None:
            trashed = _move_to_trash(store, store.artifact(ref))
            # A run takes its lock before it looks for artifacts. So a run that started meanwhile either did not find
            # this artifact, or is found by this second check.
            problem = _open_run_problem(store, ref)
            if problem and trashed and not store.artifact(ref).exists():
                trashed.rename(store.artifact(ref))
        if problem is None:
            _move_to_trash(store, store.scratch(ref).root)
    return problem


def remove_scratch(store: Store, ref: Ref) -> Problem | None:
    """Remove the scratch folder of a call, e.g. its checkpoints; if that is not possible, return the reason."""
    with FileLock(store.lock(ref)) as lock:
        if not lock.try_acquire():
            return _lock_problem(store, ref)
        _move_to_trash(store, store.scratch(ref).root)
    return None


def remove_run(store: Store, folder: RunFolder) -> Problem | None:
    """Remove the record, logs and report of a run; if that is not possible, return the reason."""
    with FileLock(folder.lock) as lock:
        if not lock.try_acquire():
            return Problem("run-active", f"the run `{folder.id}` has not ended", hint=f"ftrun cancel {folder.id}")
        _move_to_trash(store, folder.root)
    return None


def empty_trash(store: Store) -> None:
    """Delete everything in the trash, including what a killed deletion left there."""
    shutil.rmtree(store.trash, ignore_errors=True)


def _open_run_problem(store: Store, ref: Ref) -> Problem | None:
    run = find_open_run(store, ref)
    return (
        Problem("run-active", f"`{ref}` is needed by the run `{run}`, which has not ended", hint=f"ftrun cancel {run}")
        if run
        else None
    )


def _lock_problem(store: Store, ref: Ref) -> Problem:
    run = (read_process(store.scratch(ref).process) or {}).get("run")
    hint = f"ftrun cancel {run}" if run else "wait until the process ends, or stop the server that uses the artifact"
    return Problem("run-active", f"`{ref}` is in use by a running process", hint=hint)


def _move_to_trash(store: Store, path: Path) -> Path | None:
    """Move a file or folder into the trash with one rename; return its new path, or None if it does not exist."""
    store.trash.mkdir(parents=True, exist_ok=True)
    target = store.trash / f"{path.parent.name}-{path.name}-{secrets.token_hex(4)}"
    try:
        path.rename(target)
    except FileNotFoundError:
        return None
    return target
