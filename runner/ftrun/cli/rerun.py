"""`ftrun rerun RUN [OVERRIDES]`: does again what a run did, from the recipe that it recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence

import click
import yaml

from ftrun.api.errors import FtrunError, InvalidInput, Problem
from ftrun.api.paths import RunFolder, default_store
from ftrun.cli.drift import find_drift, find_missing_files
from ftrun.cli.plan import as_values, lines
from ftrun.cli.run import start
from ftrun.cli.run_lookup import find_run
from ftrun.cli.session import Session, plan_call_graph
from ftrun.execution.engine import read_plan
from ftrun.plugins.manager import plugins
from ftrun.recipe.recorded import RecordedRecipe, load_recorded
from ftrun.store import runs

MOST_CHANGES = 20  # shown


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--plan", "only_plan", is_flag=True, help="Show what differs and what would run, and run nothing.")
@click.option("-d", "--detach", is_flag=True, help="Leave the run going in the background.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.argument("run")
@click.argument("overrides", nargs=-1)
def rerun(run: str, overrides: tuple[str, ...], only_plan: bool, detach: bool, as_json: bool) -> int:
    """Does again what RUN did, with its own recipe; OVERRIDES come on top.

    Says first what is another by now: data, code, environments, versions. What did not change is cached.
    """
    if "=" in run:
        raise InvalidInput(
            Problem(
                "usage", "no run is named", f"argument {run}", "ftrun rerun RUN OVERRIDES", hint="`last` is the last"
            )
        )
    folder = find_run(default_store(), run)
    record = runs.load(folder)
    session = _session(folder, record, overrides)
    differing = find_drift(folder, record, _unchanged(folder, record, overrides, session))
    if as_json and only_plan:
        values = as_values(session, read_plan(folder))
        print(json.dumps({"rerun_of": record.id, "since": differing, **values}))
    elif not as_json:
        print("\n".join(_told(record, overrides, differing)))
    if not only_plan:
        return start(session, detach, as_json, record.id)
    if not as_json:
        print("\n".join(["", *lines(session, read_plan(folder))]))
    return 0


def _loaded(folder: RunFolder, record: runs.RunRecord, overrides: Sequence[str]) -> RecordedRecipe:
    values = yaml.safe_load(folder.recipe.read_text(encoding="utf-8"))
    return load_recorded(values, record.origins, record.overrides, overrides, plugins())


def _session(folder: RunFolder, record: runs.RunRecord, overrides: Sequence[str]) -> Session:
    """Raises `InvalidInput`, which names first the files that the run read and that are no longer there."""
    loaded = _loaded(folder, record, overrides)
    try:
        return plan_call_graph(loaded)
    except InvalidInput as error:
        missing = list(find_missing_files(read_plan(folder)))
        if not missing:
            raise
        places = {one.at for one in missing}
        told = [problem for problem in error.problems if problem.at not in places]
        raise InvalidInput([*missing, *told]) from error


def _unchanged(folder: RunFolder, record: runs.RunRecord, overrides: Sequence[str], session: Session) -> Session | None:
    """The same run without overrides, by which is told what changed by itself; None where that cannot be planned."""
    if not overrides:
        return session
    try:
        return plan_call_graph(_loaded(folder, record, ()))
    except FtrunError:
        return None


def _told(record: runs.RunRecord, overrides: Sequence[str], differing: Sequence[str]) -> Iterator[str]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.created))
    yield f"again what {record.id} did ({when}){' with ' + ' '.join(overrides) if overrides else ''}"
    if not differing:
        yield "  nothing it depends on has changed since"
        return
    yield "  what is another by now:"
    yield from (f"    {text}" for text in differing[:MOST_CHANGES])
    if len(differing) > MOST_CHANGES:
        yield f"    and {len(differing) - MOST_CHANGES} more"
