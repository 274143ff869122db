"""`ftrun rerun RUN [OVERRIDES]`: repeat a run with the recipe that it recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence

import click

from ftrun.api.errors import FtrunError, InvalidInput, Problem
from ftrun.api.paths import RunFolder, default_store
from ftrun.cli.drift import find_drift, find_missing_files
from ftrun.cli.plan import as_values, lines
from ftrun.cli.run import start
from ftrun.cli.run_lookup import find_run
from ftrun.cli.trust_option import trust_option
from ftrun.plugins.manager import plugins
from ftrun.recipe.recorded import RecordedRecipe, load_recorded
from ftrun.store import runs
from ftrun.store.run_plan import read_plan_if_possible, read_recipe_values
from ftrun.workflow.session import Session, plan_call_graph

MOST_CHANGES = 20  # changes shown


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--plan", "only_plan", is_flag=True, help="Show what has changed and what would run, without running it.")
@click.option("-d", "--detach", is_flag=True, help="Run in the background.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@trust_option
@click.argument("run")
@click.argument("overrides", nargs=-1)
def rerun(run: str, overrides: tuple[str, ...], only_plan: bool, detach: bool, as_json: bool, trust: bool) -> int:
    """Repeat RUN with its own recipe and apply OVERRIDES.

    Lists first what has changed since RUN: data, code, environments, versions. Unchanged stage calls are cached.
    """
    if "=" in run:
        raise InvalidInput(
            Problem(
                "usage",
                "no run is named",
                f"argument {run}",
                "ftrun rerun RUN OVERRIDES",
                hint="`last` is the last run",
            )
        )
    folder = find_run(default_store(), run)
    record = runs.load(folder)
    session = _plan(folder, record, overrides, trust)
    changes = find_drift(folder, record, _plan_without_overrides(folder, record, overrides, session, trust))
    if as_json and only_plan:
        values = as_values(session, read_plan_if_possible(folder))
        print(json.dumps({"rerun_of": record.id, "since": changes, **values}))
    elif not as_json:
        print("\n".join(_format_changes(record, overrides, changes)))
    if not only_plan:
        return start(session, detach, as_json, record.id)
    if not as_json:
        print("\n".join(["", *lines(session, read_plan_if_possible(folder))]))
    return 0


def _load(folder: RunFolder, record: runs.RunRecord, overrides: Sequence[str]) -> RecordedRecipe:
    return load_recorded(read_recipe_values(folder), record.origins, record.overrides, overrides, plugins())


def _plan(folder: RunFolder, record: runs.RunRecord, overrides: Sequence[str], trust: bool) -> Session:
    """Plan the run again.

    Raises:
        InvalidInput: If it cannot be planned. Files that the run read and that no longer exist are reported first.
    """
    recipe = _load(folder, record, overrides)
    try:
        return plan_call_graph(recipe, trust)
    except InvalidInput as error:
        then = read_plan_if_possible(folder)
        missing = list(find_missing_files(then)) if then is not None else []
        if not missing:
            raise
        places = {problem.at for problem in missing}
        others = [problem for problem in error.problems if problem.at not in places]
        raise InvalidInput([*missing, *others]) from error


def _plan_without_overrides(
    folder: RunFolder, record: runs.RunRecord, overrides: Sequence[str], session: Session, trust: bool
) -> Session | None:
    """Plan the run without overrides, to find what they did not change. Return None if that cannot be planned."""
    if not overrides:
        return session
    try:
        return plan_call_graph(_load(folder, record, ()), trust)
    except FtrunError:
        return None


def _format_changes(record: runs.RunRecord, overrides: Sequence[str], changes: Sequence[str]) -> Iterator[str]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.created))
    yield f"rerun of {record.id} ({when}){' with ' + ' '.join(overrides) if overrides else ''}"
    if not changes:
        yield "  nothing it depends on has changed since"
        return
    yield "  changed since then:"
    yield from (f"    {text}" for text in changes[:MOST_CHANGES])
    if len(changes) > MOST_CHANGES:
        yield f"    and {len(changes) - MOST_CHANGES} more"
