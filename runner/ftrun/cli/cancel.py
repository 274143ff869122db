"""`ftrun cancel RUN`: stop the scheduler of a run, or the stage processes that a killed scheduler left behind."""

from __future__ import annotations

import os
import signal
import time

import click

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import RunFolder, Store, default_store
from ftrun.api.remote import Remote
from ftrun.api.stored_files import read_process
from ftrun.cli.run_lookup import find_run, remote_of
from ftrun.store import runs
from ftrun.store.locks import is_held
from ftrun.store.processes import live_processes

SECONDS_TO_WAIT = 200.0  # enough for a stage to write its checkpoint


@click.command()
@click.option("--now", is_flag=True, help="Stop at once, without waiting for a checkpoint.")
@click.argument("run", default="last")
def cancel(run: str, now: bool) -> int:
    """Stop a run. `ftrun resume` continues it from its last checkpoint."""
    store = default_store()
    folder = find_run(store, run)
    remote = remote_of(store, folder)
    if remote is not None:
        return _cancel_remote(folder, remote, now)
    try:
        return _cancel_local(store, folder, now)
    except PermissionError as error:
        what = f"the processes of {folder.id} belong to another user"
        raise InvalidInput(Problem("no-permission", what, hint="ask the user who started the run")) from error


def _cancel_local(store: Store, folder: RunFolder, now: bool) -> int:
    pids = _find_processes(store, folder)
    scheduler = read_process(folder.scheduler)
    if is_held(folder.lock) and scheduler and "pid" in scheduler:
        for _ in range(2 if now else 1):
            os.kill(scheduler["pid"], signal.SIGTERM)
            time.sleep(0.3)
    elif pids:
        for pid in pids:
            os.killpg(pid, signal.SIGKILL) if now else os.kill(pid, signal.SIGTERM)
    else:
        click.echo(f"{folder.id} is not running: {runs.load(folder).status}")
        return 0
    return _wait_for_end(store, folder)


def _cancel_remote(folder: RunFolder, remote: Remote, now: bool) -> int:
    if runs.load(folder).status not in runs.OPEN:
        click.echo(f"{folder.id} is not running: {runs.load(folder).status}")
        return 0
    remote.cancel(folder, now)
    click.echo(f"{folder.id}: {runs.load(folder).status}")
    return 0


def _find_processes(store: Store, folder: RunFolder) -> list[int]:
    """Return the ids of process groups that still work on calls of this run."""
    return [process.pid for process in live_processes(store).get(folder.id, ())]


def _wait_for_end(store: Store, folder: RunFolder) -> int:
    end = time.monotonic() + SECONDS_TO_WAIT
    while time.monotonic() < end:
        if not is_held(folder.lock) and not _find_processes(store, folder):
            click.echo(f"{folder.id}: {runs.load(folder).status}")
            return 0
        time.sleep(0.2)
    click.echo(f"{folder.id} has not stopped yet; `ftrun cancel --now {folder.id}` does not wait for a checkpoint")
    return 1
