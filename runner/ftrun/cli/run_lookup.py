"""Lookup of runs by id, on this machine and on remote backends, and refresh of the local copies of remote runs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from ftrun.api.errors import FtrunError, InvalidInput
from ftrun.api.paths import RunFolder, Store
from ftrun.api.remote import Remote
from ftrun.execution.engine import make_backend
from ftrun.plugins.manager import plugins
from ftrun.store import runs
from ftrun.store.artifacts import Read, reader
from ftrun.store.run_plan import read_recipe

MOST_REFRESHES = 8  # remote runs that are refreshed at the same time


def find_run(store: Store, name: str) -> RunFolder:
    """Return the run with an id, a unique prefix of an id, or `last`.

    A run that another machine started is copied to this machine first.

    Raises:
        InvalidInput: If no run, or more than one, on this machine and on the remote backends that it has an account
            for matches.
    """
    try:
        folder = runs.find_run(store, name)
    except InvalidInput as error:
        if error.problems[0].code != "unknown-run":
            raise
        known = {run_id: remote for remote in remotes() for run_id in remote.known()}
        run_id = runs.match_id(name, list(known))
        if run_id is None:
            raise
        folder = store.run(run_id)
        _copy(known[run_id], folder)
        return folder
    record = runs.load_readable(folder)
    if record is not None and record.status in runs.OPEN:
        refresh(store, folder)
    return folder


def remote_of(store: Store, folder: RunFolder) -> Remote | None:
    """Return the remote backend that a run is on; None for a run of this machine."""
    if not runs.load(folder).remote:
        return None
    return make_backend(read_recipe(folder), plugins(), store).remote


def find_remote(folder: RunFolder) -> Remote | None:
    """Return the remote backend that has a run whose record cannot be read. None if there is none, or no connection."""
    with suppress(FtrunError):
        return next((remote for remote in remotes() if folder.id in remote.known()), None)
    return None


def reader_of(store: Store, folder: RunFolder) -> Read:
    """Return a function that reads small files from the artifacts of a run, local or remote."""
    remote = remote_of(store, folder)
    return reader(store) if remote is None else remote.read


def refresh(store: Store, folder: RunFolder) -> None:
    """Update the local copy of a remote run. Do nothing for a run of this machine."""
    remote = remote_of(store, folder)
    if remote is not None:
        remote.refresh(folder)


def remotes() -> Iterator[Remote]:
    """Yield the remote backends that this machine has an account for."""
    for registered in plugins().of_kind("backend").values():
        remote = registered.cls.account()
        if remote is not None:
            yield remote


def list_runs(store: Store, local_only: bool) -> tuple[list[runs.RunRecord], list[runs.UnreadableRun], list[str]]:
    """Return all run records, newest last, the runs without a readable record, and reasons of failed refreshes."""
    records = runs.all_runs(store)
    unfinished = [record for record in records if record.remote and record.status in runs.OPEN and not local_only]
    with ThreadPoolExecutor(MOST_REFRESHES) as pool:
        reasons = [reason for reason in pool.map(lambda record: _try_refresh(store, record.id), unfinished) if reason]
    known = {record.id for record in records}
    try:
        for remote in [] if local_only else remotes():
            for run_id in sorted(set(remote.known()) - known):
                _copy(remote, store.run(run_id))
    except FtrunError as error:
        reasons.append(error.problems[0].what)
    return *runs.read_all(store), list(dict.fromkeys(reasons))


def _copy(remote: Remote, folder: RunFolder) -> None:
    """Copy a run to this machine, even if its record cannot be read. Readers of the record report that."""
    try:
        remote.refresh(folder)
    except InvalidInput:
        if not folder.record.exists():
            raise


def _try_refresh(store: Store, run_id: str) -> str | None:
    """Refresh a run. Return the reason if that fails, else None."""
    try:
        refresh(store, store.run(run_id))
    except FtrunError as error:
        return error.problems[0].what
    return None
