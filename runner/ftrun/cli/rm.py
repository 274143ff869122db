"""`ftrun rm`: removes runs and artifacts, once it has said what depends on them and how much that frees."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence

import click

from ftrun.api.disk_errors import store_errors
from ftrun.api.errors import FtrunError, InvalidInput, Problem
from ftrun.api.paths import RunFolder, Store, default_store
from ftrun.api.stage_call import Ref
from ftrun.cli.deletion_plan import Removal, named_artifacts, of_runs, unused
from ftrun.cli.run_lookup import find_run, remote_of
from ftrun.store import runs
from ftrun.store.deletion import empty_trash, remove_artifact, remove_run, remove_scratch
from ftrun.utils.sizes import human_size

MOST_LINES = 30  # of one kind


@click.command()
@click.option("--artifacts", "with_artifacts", is_flag=True, help="Also what the runs made and no other run needs.")
@click.option("--unused", "all_unused", is_flag=True, help="Everything that no run refers to.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON; needs --yes.")
@click.argument("names", nargs=-1, metavar="RUN|ARTIFACT...")
def rm(names: tuple[str, ...], with_artifacts: bool, all_unused: bool, yes: bool, as_json: bool) -> int:
    """Removes runs, by default their record, logs and report alone, or artifacts by STAGE/KEY.

    Never removes what a run that is not over needs, or what a living process works on.
    """
    if bool(names) == all_unused:
        raise InvalidInput(
            Problem("usage", "nothing is named" if not names else "--unused takes no names", hint="ftrun rm --help")
        )
    store = default_store()
    with store_errors(store.root):
        removal = unused(store) if all_unused else _named(store, names, with_artifacts)
        if not as_json:
            print("\n".join(_lines(removal)))
        if removal.is_empty:
            empty_trash(store)
        elif not yes:
            _ask(removal, can=sys.stdin.isatty() and not as_json)
        problems = _remove(store, removal)
    if as_json:
        print(json.dumps({**removal.as_values(), "problems": [problem.as_dict() for problem in problems]}))
    elif not removal.is_empty and not problems:
        print(f"removed: {human_size(removal.size)} freed")
    if problems and not as_json:
        raise InvalidInput(problems)
    return 2 if problems else 0


def _named(store: Store, names: Sequence[str], with_artifacts: bool) -> Removal:
    folders = list(dict.fromkeys(find_run(store, name) for name in names if "/" not in name))
    removal = of_runs(store, folders, with_artifacts)
    return removal.and_also(named_artifacts(store, [name for name in names if "/" in name], removal.run_ids))


def _ask(removal: Removal, can: bool) -> None:
    if not can:
        raise InvalidInput(
            Problem("usage", "there is no terminal to ask at, and nothing was removed", hint="ftrun rm --yes …")
        )
    click.confirm(f"remove {human_size(removal.size)}?", abort=True)


def _remove(store: Store, removal: Removal) -> list[Problem]:
    """Runs go first: an artifact without its run can be removed again as unused."""
    problems: list[Problem | None] = []
    for folder in removal.runs:
        remote = remote_of(store, folder)
        try:
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


def _lines(removal: Removal) -> Iterator[str]:
    if removal.is_empty:
        yield "nothing to remove"
    yield from _bounded("run", [_run(folder) for folder in removal.runs])
    yield from _bounded("artifact", [f"{_sized(removal, ref)}{_used(removal, ref)}" for ref in removal.artifacts])
    yield from _bounded("scratch", [_sized(removal, ref) for ref in removal.scratch])
    yield from _bounded("stays", [f"{ref!s:<44} needed by {_some(users)}" for ref, users in removal.staying.items()])
    yield from removal.notes


def _run(folder: RunFolder) -> str:
    record = runs.load(folder)
    where = f", here and on {record.backend}; its artifacts there stay" if record.remote else ""
    return f"{folder.id}: record, logs and report{where}"


def _sized(removal: Removal, ref: Ref) -> str:
    return f"{ref!s:<44} {human_size(removal.sizes[ref]):>9}"


def _used(removal: Removal, ref: Ref) -> str:
    users = removal.used_by.get(ref)
    return f"  used by {_some(users)}; `ftrun resume` makes it again" if users else ""


def _bounded(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield from (f"{title:<9} {line}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"{title:<9} and {len(lines) - MOST_LINES} more"


def _some(users: Sequence[str]) -> str:
    return ", ".join(users[:3]) + (f" and {len(users) - 3} more" if len(users) > 3 else "")
