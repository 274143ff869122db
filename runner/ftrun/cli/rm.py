"""`ftrun rm`: remove runs and artifacts; lists dependents and freed space, and asks first."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence

import click

from ftrun.api.disk_errors import store_errors
from ftrun.api.errors import FtrunError, InvalidInput, Problem
from ftrun.api.paths import RunFolder, Store, default_store
from ftrun.api.stage_call import Ref
from ftrun.cli.deletion_plan import Removal, plan_artifact_removal, plan_run_removal, plan_unused_removal
from ftrun.cli.run_lookup import find_remote, find_run, remote_of
from ftrun.store import runs
from ftrun.store.deletion import empty_trash, remove_artifact, remove_run, remove_scratch
from ftrun.utils.sizes import human_size

MOST_LINES = 30  # per kind


@click.command()
@click.option("--artifacts", "with_artifacts", is_flag=True, help="Also remove the artifacts that no other run needs.")
@click.option("--unused", "all_unused", is_flag=True, help="Remove everything that no run refers to.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON; requires --yes.")
@click.argument("names", nargs=-1, metavar="RUN|ARTIFACT...")
def rm(names: tuple[str, ...], with_artifacts: bool, all_unused: bool, yes: bool, as_json: bool) -> int:
    """Remove runs and artifacts; lists dependents and asks first.

    Removes the record, logs and report of a RUN, and with --artifacts also its artifacts. An ARTIFACT is STAGE/KEY.
    Never removes anything that an unfinished run needs or that a running process works on.
    """
    if bool(names) == all_unused:
        raise InvalidInput(
            Problem(
                "usage",
                "no run or artifact is named" if not names else "--unused takes no names",
                hint="`ftrun rm --help` shows the usage",
            )
        )
    store = default_store()
    with store_errors(store.root):
        removal = plan_unused_removal(store) if all_unused else _plan_named(store, names, with_artifacts)
        if not as_json:
            print("\n".join(_format_removal(removal)))
        if removal.is_empty:
            empty_trash(store)
        elif not yes:
            _confirm(removal, interactive=sys.stdin.isatty() and not as_json)
        problems = _remove(store, removal)
    if as_json:
        print(json.dumps({**removal.as_values(), "problems": [problem.as_dict() for problem in problems]}))
    elif not removal.is_empty and not problems:
        print(f"removed: {human_size(removal.size)} freed")
    if problems and not as_json:
        raise InvalidInput(problems)
    return 2 if problems else 0


def _plan_named(store: Store, names: Sequence[str], with_artifacts: bool) -> Removal:
    folders = list(dict.fromkeys(find_run(store, name) for name in names if "/" not in name))
    removal = plan_run_removal(store, folders, with_artifacts)
    return removal.combine(plan_artifact_removal(store, [name for name in names if "/" in name], removal.run_ids))


def _confirm(removal: Removal, interactive: bool) -> None:
    if not interactive:
        raise InvalidInput(
            Problem(
                "usage",
                "nothing was removed, because the confirmation needs a terminal",
                hint="`ftrun rm --yes` does not ask",
            )
        )
    click.confirm(f"remove {human_size(removal.size)}?", abort=True)


def _remove(store: Store, removal: Removal) -> list[Problem]:
    """Remove runs, then artifacts and scratch folders. Return the problems.

    If this is interrupted, `--unused` finds the artifacts whose runs are already removed.
    """
    problems: list[Problem | None] = []
    for folder in removal.runs:
        try:
            remote = remote_of(store, folder) if runs.load_readable(folder) else find_remote(folder)
            if remote is not None:
                remote.remove(folder)
        except FtrunError as error:
            problems += error.problems
            continue
        problems.append(remove_run(store, folder))
    problems += [remove_artifact(store, ref) for ref in removal.artifacts]
    problems += [remove_scratch(store, ref) for ref in removal.scratch]
    empty_trash(store)
    return [problem for problem in problems if problem]


def _format_removal(removal: Removal) -> Iterator[str]:
    if removal.is_empty:
        yield "nothing to remove"
    yield from _limit_lines("run", [_format_run(folder) for folder in removal.runs])
    yield from _limit_lines(
        "artifact", [f"{_format_size(removal, ref)}{_format_users(removal, ref)}" for ref in removal.artifacts]
    )
    yield from _limit_lines("scratch", [_format_size(removal, ref) for ref in removal.scratch])
    yield from _limit_lines(
        "stays", [f"{ref!s:<44} needed by {_join_names(users)}" for ref, users in removal.staying.items()]
    )
    yield from removal.notes


def _format_run(folder: RunFolder) -> str:
    record = runs.load_readable(folder)
    if record is None:
        return f"{folder.id}: its record, which cannot be read, logs and report"
    backend = record.backend
    remote = f", on this machine and on {backend}; its artifacts on {backend} stay" if record.remote else ""
    return f"{folder.id}: record, logs and report{remote}"


def _format_size(removal: Removal, ref: Ref) -> str:
    return f"{ref!s:<44} {human_size(removal.sizes[ref]):>9}"


def _format_users(removal: Removal, ref: Ref) -> str:
    users = removal.used_by.get(ref)
    return f"  used by {_join_names(users)}; `ftrun resume` recreates it" if users else ""


def _limit_lines(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield from (f"{title:<9} {line}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"{title:<9} and {len(lines) - MOST_LINES} more"


def _join_names(users: Sequence[str]) -> str:
    return ", ".join(users[:3]) + (f" and {len(users) - 3} more" if len(users) > 3 else "")
