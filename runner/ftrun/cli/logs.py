"""`ftrun logs RUN [CALL]`: what the stages printed; with -f also progress, as it comes."""

from __future__ import annotations

import click

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.events import follow
from ftrun.api.paths import RunFolder, Store, default_store
from ftrun.cli.progress import Display
from ftrun.cli.remote_runs import watch
from ftrun.cli.run_lookup import find_run, remote_of
from ftrun.cli.run_summary import log_files
from ftrun.execution.engine import read_plan
from ftrun.store import runs
from ftrun.store.artifacts import find
from ftrun.utils.suggest import nearest

BLOCK = 1 << 16


@click.command()
@click.option("-f", "--follow", "following", is_flag=True, help="Follow the run until it ends.")
@click.argument("run", default="last")
@click.argument("call", required=False)
def logs(run: str, call: str | None, following: bool) -> int:
    """Prints the logs of a run's stage calls, or of one CALL such as `train`."""
    store = default_store()
    folder = find_run(store, run)
    if following:
        remote = remote_of(store, folder)
        if remote is None:
            _follow(folder)
        elif watch(folder, remote):
            click.echo(f"{folder.id}: {runs.load(folder).status}")
        return 0
    if not log_files(folder):
        raise InvalidInput(
            Problem("missing-result", f"the run {folder.id} has no logs", hint=_elsewhere(store, folder, call))
        )
    for path in log_files(folder):
        if call in (None, path.stem, path.stem.replace(".", ":", 1)):
            click.echo(f"==> {path.stem} <==") if call is None else None
            with path.open("r", encoding="utf-8", errors="replace") as file:
                while block := file.read(BLOCK):
                    click.echo(block, nl=False)
            call = call and ""
    if call:
        known = [path.stem.replace(".", ":", 1) for path in log_files(folder)]
        raise InvalidInput(
            Problem(
                "missing-result",
                f"the run {folder.id} has no log of `{call}`",
                expected=f"one of {', '.join(known)}",
                did_you_mean=nearest(call, known),
                hint=_elsewhere(store, folder, call),
            )
        )
    return 0


def _elsewhere(store: Store, folder: RunFolder, call: str | None) -> str | None:
    """Where the logs are of what was cached: with the runs that made it."""
    made = {one.label: find(store, one.ref) for one in read_plan(folder).calls if call in (None, one.label)}
    others = {label: found.run for label, found in made.items() if found and found.run != folder.id}
    if not others:
        return None
    label, run = list(others.items())[-1]
    return f"`ftrun logs {run} {label}`: it was cached here, and ran there"


def _follow(folder: RunFolder) -> None:
    def ended() -> bool:
        return runs.load(folder).status not in runs.OPEN

    with Display(folder) as display:
        for event in follow(folder.events, ended):
            display.show(event)
    click.echo(f"{folder.id}: {runs.load(folder).status}")
