"""`ftrun show RUN`: show what a run did, what it measured and where its files are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from ftrun.api.errors import FtrunError, Problem
from ftrun.api.output_file import write_output
from ftrun.api.paths import RunFolder, Store, default_store
from ftrun.api.redaction import redact_all, redact_text
from ftrun.api.stage_call import StageCall
from ftrun.cli.error_output import lines as problem_lines
from ftrun.cli.run_lookup import find_run, reader_of
from ftrun.cli.run_summary import summary_text
from ftrun.report.junit import make_junit
from ftrun.report.number_format import metrics
from ftrun.report.run_data import RunData
from ftrun.store import runs
from ftrun.store.artifacts import find
from ftrun.store.processes import describe_orphans, live_processes
from ftrun.store.run_plan import read_plan_if_possible
from ftrun.store.run_record import CallResult
from ftrun.utils.path_option import PathOption


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
@click.option("--junit", type=PathOption(), help="Write the gates as JUnit XML to this file.")
@click.argument("run", default="last")
def show(run: str, as_json: bool, junit: Path | None) -> int:
    """Show the stages, results and files of a run."""
    store = default_store()
    folder = find_run(store, run)
    record = runs.load(folder)
    if junit is not None and write_output(junit, make_junit(RunData(folder, reader_of(store, folder)))):
        return 0
    if as_json:
        processes = [asdict(process) for process in live_processes(store).get(folder.id, ())]
        print(json.dumps({**redact_all(record.model_dump(mode="json")), "processes": processes}))
    else:
        print(redact_text("\n".join(_format_run(store, folder, record))))
    return 0


def _format_run(store: Store, folder: RunFolder, record: runs.RunRecord) -> Iterator[str]:
    yield f"{record.id}: {record.status}"
    orphans = live_processes(store).get(record.id) if record.status not in runs.OPEN else None
    if orphans:
        yield f"alive    {describe_orphans(orphans)}"
        yield f"         `ftrun resume {record.id}` attaches to it, `ftrun cancel {record.id}` stops it"
    yield f"recipe   {' '.join(record.overrides)}"
    if record.rerun_of:
        yield f"again    rerun of {record.rerun_of}"
    if record.started and record.ended:
        yield f"took     {record.ended - record.started:.0f} s"
    yield f"folder   {folder.root}"
    yield ""
    for label, result in _list_results(store, folder, record):
        yield f"  {label:<20} {_format_result(result)}".rstrip()
        yield from (f"  {'':<20} {note}" for note in _notes(result))
    if record.cost is not None:
        yield f"\n  cost               ${record.cost:.2f} for the measured time, at list prices"
    if record.problems:
        yield ""
        yield from list(problem_lines(FtrunError([Problem.from_dict(problem) for problem in record.problems])))[1:]
    if record.status in ("done", "gate_not_met"):
        yield summary_text(store, folder)


def _list_results(store: Store, folder: RunFolder, record: runs.RunRecord) -> Iterator[tuple[str, CallResult | None]]:
    """Yield the calls of a run in order, with their results; only those in the record if the plan cannot be read."""
    plan = read_plan_if_possible(folder)
    if plan is None:
        yield from record.results.items()
        return
    for call in plan.calls:
        yield call.label, _find_result(call, store, record)


def _notes(result: CallResult | None) -> list[str]:
    notes = result["metrics"].get("notes") if result else None
    return [str(note) for note in notes] if isinstance(notes, list) else []


def _find_result(call: StageCall, store: Store, record: runs.RunRecord) -> CallResult | None:
    """Return seconds and metrics from the record or, while a local run continues, from the store."""
    result = record.results.get(call.label)
    if result is None and not record.remote and (manifest := find(store, call.ref)):
        return {"artifact": str(call.ref), "seconds": manifest.seconds, "metrics": manifest.metrics}
    return result


def _format_result(result: CallResult | None) -> str:
    if result is None:
        return "not there"
    cost = f"  ${result['cost']:.2f}" if "cost" in result else ""
    return f"{result['seconds']:>8.1f} s{cost}  {'  '.join(metrics(result['metrics']))}"
