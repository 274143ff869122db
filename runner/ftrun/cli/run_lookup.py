"""Finds runs by id on this machine and elsewhere, and brings the copies of those elsewhere up to date."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from ftrun.api.backends import Remote
from ftrun.api.errors import FtrunError, InvalidInput
from ftrun.api.paths import RunFolder, Store
from ftrun.execution.engine import make_backend, read_recipe
from ftrun.plugins.manager import plugins
from ftrun.store import runs
from ftrun.store.artifacts import Read, reader

AT_ONCE = 8  # runs elsewhere that are looked at


def find_run(store: Store, name: str) -> RunFolder:
    """The run with an id, a unique prefix of one, or `last`; one that another machine began is copied here first.

    Raises:
        InvalidInput: there is no such run here, nor on the machines elsewhere that this one has an account for.
    """
    try:
        folder = runs.find_run(store, name)
    except InvalidInput:
        matching = [(remote, found) for remote in remotes() for found in remote.known() if found.startswith(name)]
        if len(matching) != 1:
            raise
        remote, run_id = matching[0]
        folder = store.run(run_id)
        remote.refresh(folder)
        return folder
    if runs.load(folder).status in runs.OPEN:
        refresh(store, folder)
    return folder


def remote_of(store: Store, folder: RunFolder) -> Remote | None:
    """The machine that a run is on; None for this one."""
    if not runs.load(folder).remote:
        return None
    return make_backend(read_recipe(folder), plugins(), store).remote


def reader_of(store: Store, folder: RunFolder) -> Read:
    """Reads small files of what a run made, wherever it was."""
    remote = remote_of(store, folder)
    return reader(store) if remote is None else remote.read


def refresh(store: Store, folder: RunFolder) -> None:
    remote = remote_of(store, folder)
    if remote is not None:
        remote.refresh(folder)


def remotes() -> Iterator[Remote]:
    """Machines elsewhere, as far as this one has an account there."""
    for registered in plugins().of_kind("backend").values():
        remote = registered.cls.account()
        if remote is not None:
            yield remote


def runs_everywhere(store: Store, here_only: bool) -> tuple[list[runs.RunRecord], list[str]]:
    """All records, the newest last, and what could not be reached."""
    opened = [one for one in runs.all_runs(store) if one.remote and one.status in runs.OPEN and not here_only]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        troubles = [trouble for trouble in pool.map(lambda one: _trouble(store, one.id), opened) if trouble]
    known = {record.id for record in runs.all_runs(store)}
    try:
        for remote in [] if here_only else remotes():
            for run_id in sorted(set(remote.known()) - known):
                remote.refresh(store.run(run_id))
    except FtrunError as error:
        troubles.append(error.problems[0].what)
    return runs.all_runs(store), list(dict.fromkeys(troubles))


def _trouble(store: Store, run_id: str) -> str | None:
    """Why a run could not be refreshed."""
    try:
        refresh(store, store.run(run_id))
    except FtrunError as error:
        return error.problems[0].what
    return None
