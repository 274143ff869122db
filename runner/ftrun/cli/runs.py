"""`ftrun runs`: list all runs, one per line."""

from __future__ import annotations

import json
import logging
import time

import click

from ftrun.api.paths import default_store
from ftrun.cli.run_lookup import list_runs
from ftrun.store.runs import RunRecord

log = logging.getLogger(__name__)

LISTED = {"id", "recipe", "overrides", "status", "created", "started", "ended", "backend", "cost"}


@click.command()
@click.option("--local", "local_only", is_flag=True, help="Do not query remote backends.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON.")
def runs(as_json: bool, local_only: bool) -> int:
    """List the runs of this machine and of remote backends, newest last."""
    records, reasons = list_runs(default_store(), local_only)
    for reason in reasons:
        log.warning(reason)
    if as_json:
        print(json.dumps([record.model_dump(mode="json", include=LISTED) for record in records]))
    elif not records:
        print("no runs yet; `ftrun recipe=quickstart` starts the first")
    for record in records if not as_json else ():
        print(_format_run(record))
    return 0


def _format_run(record: RunRecord) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.created))
    given = " ".join(override for override in record.overrides if not override.startswith("recipe="))
    return f"{record.id:<34} {record.status:<13} {record.backend:<6} {when}  {given}".rstrip()
