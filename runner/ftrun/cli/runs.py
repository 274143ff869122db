"""`ftrun runs`: every run of the store, one line each."""

from __future__ import annotations

import json
import time

import click

from ftrun.store.layout import default_store
from ftrun.store.runs import RunRecord, all_runs


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON.")
def runs(as_json: bool) -> int:
    """Lists the runs, the newest last."""
    records = all_runs(default_store())
    if as_json:
        print(
            json.dumps(
                [
                    record.model_dump(
                        mode="json", include={"id", "recipe", "overrides", "status", "created", "started", "ended"}
                    )
                    for record in records
                ]
            )
        )
    elif not records:
        print("no runs yet: `ftrun recipe=quickstart` makes the first")
    for record in records if not as_json else ():
        print(_line(record))
    return 0


def _line(record: RunRecord) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.created))
    given = " ".join(override for override in record.overrides if not override.startswith("recipe="))
    return f"{record.id:<34} {record.status:<13} {when}  {given}".rstrip()
