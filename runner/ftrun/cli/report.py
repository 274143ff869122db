"""`ftrun report RUN`: write the report of a run as one HTML file."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ftrun.api.output_file import write_output
from ftrun.api.paths import default_store
from ftrun.cli.run_lookup import find_run, reader_of
from ftrun.report.page import make_report
from ftrun.utils.path_option import PathOption


@click.command()
@click.option("--output", type=PathOption(), help="Write to this file; by default report.html in the run's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.argument("run", default="last")
def report(run: str, output: Path | None, as_json: bool) -> int:
    """Write the report of a run as one self-contained HTML file.

    The report of a run that has not ended covers what has finished so far.
    """
    store = default_store()
    folder = find_run(store, run)
    target = output or folder.report
    if write_output(target, make_report(folder, reader_of(store, folder))):
        return 0
    print(json.dumps({"run": folder.id, "report": str(target)}) if as_json else target)
    return 0
