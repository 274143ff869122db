"""`ftrun show RUN`: what a run did, what it measured, and where its files are."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from ftrun.api.errors import FtrunError, Problem
from ftrun.api.paths import RunFolder, Store, default_store
from ftrun.api.stage_call import StageCall
from ftrun.cli.error_output import lines as problem_lines
from ftrun.cli.run_lookup import find_run
from ftrun.cli.run_summary import summary_text
from ftrun.execution.engine import read_plan
from ftrun.report.number_format import metrics
from ftrun.store import runs
from ftrun.store.artifacts import find


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
@click.argument("run", default="last")
def show(run: str, as_json: bool) -> int:
    """Shows a run's stages, results and files."""
    store = default_store()
    folder = find_run(store, run)
    record = runs.load(folder)
    if as_json:
        print(json.dumps(record.model_dump(mode="json")))
    else:
        print("\n".join(_lines(store, folder, record)))
    return 0


def _lines(store: Store, folder: RunFolder, record: runs.RunRecord) -> Iterator[str]:
    yield f"{record.id}: {record.status}"
    yield f"recipe   {' '.join(record.overrides)}"
    if record.rerun_of:
        yield f"again    what {record.rerun_of} did"
    if record.started and record.ended:
        yield f"took     {record.ended - record.started:.0f} s"
    yield f"folder   {folder.root}"
    yield ""
    for call in read_plan(folder).calls:
        yield f"  {call.label:<20} {_made(call, store, record)}".rstrip()
    if record.cost is not None:
        yield f"\n  cost               ${record.cost:.2f} by the clock, at listed prices"
    if record.problems:
        yield ""
        yield from list(problem_lines(FtrunError([Problem.from_dict(problem) for problem in record.problems])))[1:]
    if record.status in ("done", "gate_not_met"):
        yield summary_text(store, folder)


def _made(call: StageCall, store: Store, record: runs.RunRecord) -> str:
    """Seconds and metrics, from the record or, while the run goes on here, from the store."""
    known = record.results.get(call.label)
    if known is None and not record.remote and (manifest := find(store, call.ref)):
        known = {"seconds": manifest.seconds, "metrics": manifest.metrics}
    if known is None:
        return "not there"
    cost = f"  ${known['cost']:.2f}" if "cost" in known else ""
    return f"{known['seconds']:>8.1f} s{cost}  {'  '.join(metrics(known['metrics']))}"
