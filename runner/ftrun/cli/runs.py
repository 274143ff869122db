"""`ftrun runs`: list all runs, one per line."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from ftrun.api.paths import default_store
from ftrun.cli.run_lookup import list_runs
from ftrun.store.processes import LiveProcess, describe_orphans, live_processes
from ftrun.store.runs import OPEN, RunRecord, UnreadableRun

log = logging.getLogger(__name__)

LISTED = {"id", "recipe", "overrides", "status", "created", "started", "ended", "backend", "cost"}


@click.command()
@click.option("--local", "local_only", is_flag=True, help="Do not query remote backends.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON.")
def runs(as_json: bool, local_only: bool) -> int:
    """List the runs of this machine and of remote backends, newest last.

    Runs whose record cannot be read come first.
    """
    store = default_store()
    records, unreadable, reasons = list_runs(store, local_only)
    for reason in reasons:
        log.warning(reason)
    alive = live_processes(store)
    if as_json:
        values = [_describe_run(record, alive.get(record.id, ())) for record in records]
        print(json.dumps([*map(_describe_unreadable, unreadable), *values]))
        return 0
    for run in unreadable:
        print(f"{run.folder.id:<34} unreadable    {run.problem.what}")
    if not records and not unreadable:
        print("no runs yet; `ftrun recipe=quickstart` starts the first")
    for record in records:
        print(_format_run(record, alive.get(record.id, ())))
    return 0


def _describe_unreadable(run: UnreadableRun) -> dict[str, Any]:
    """Return the keys of a record that cannot be read: all are null, except its id and its status."""
    keys = dict.fromkeys(sorted(LISTED))
    return {**keys, "id": run.folder.id, "status": "unreadable", "reason": run.problem.what, "processes": []}


def _describe_run(record: RunRecord, processes: Sequence[LiveProcess]) -> dict[str, Any]:
    values = record.model_dump(mode="json", include=LISTED)
    return {**values, "processes": [asdict(process) for process in processes]}


def _format_run(record: RunRecord, processes: Sequence[LiveProcess]) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.created))
    given = " ".join(override for override in record.overrides if not override.startswith("recipe="))
    line = f"{record.id:<34} {record.status:<13} {record.backend:<6} {when}  {given}".rstrip()
    return f"{line}  {describe_orphans(processes)}" if processes and record.status not in OPEN else line
