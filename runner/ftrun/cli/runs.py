"""`ftrun runs`: every run of the store, one line each."""

from __future__ import annotations

import json
import logging
import time

import click

from ftrun.api.paths import default_store
from ftrun.cli.run_lookup import runs_everywhere
from ftrun.store.runs import RunRecord

log = logging.getLogger(__name__)

LISTED = {"id", "recipe", "overrides", "status", "created", "started", "ended", "backend", "cost"}


@click.command()
@click.option("--local", "here_only", is_flag=True, help="Do not ask other machines for their runs.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON.")
def runs(as_json: bool, here_only: bool) -> int:
    """Lists the runs of this machine and of the backends elsewhere, the newest last."""
    records, troubles = runs_everywhere(default_store(), here_only)
    for trouble in troubles:
        log.warning(trouble)
    if as_json:
        print(json.dumps([record.model_dump(mode="json", include=LISTED) for record in records]))
    elif not records:
        print("no runs yet: `ftrun recipe=quickstart` makes the first")
    for record in records if not as_json else ():
        print(_line(record))
    return 0


def _line(record: RunRecord) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.created))
    given = " ".join(override for override in record.overrides if not override.startswith("recipe="))
    return f"{record.id:<34} {record.status:<13} {record.backend:<6} {when}  {given}".rstrip()
