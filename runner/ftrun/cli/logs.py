"""`ftrun logs RUN [CALL]`: print the output of stage calls, or follow the progress of a run with -f."""

from __future__ import annotations

import click

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.events import follow
from ftrun.api.paths import RunFolder, Store, default_store
from ftrun.api.redaction import redact_text
from ftrun.cli.progress import Display
from ftrun.cli.remote_runs import watch
from ftrun.cli.run_lookup import find_run, remote_of
from ftrun.cli.run_summary import log_files
from ftrun.store import runs
from ftrun.store.artifacts import find
from ftrun.store.run_plan import read_plan_if_possible
from ftrun.utils.suggest import nearest
from ftrun.utils.terminal import drop_colours

BLOCK = 1 << 16


@click.command()
@click.option("-f", "--follow", "following", is_flag=True, help="Follow the progress of the run until it ends.")
@click.argument("run", default="last")
@click.argument("call", required=False)
def logs(run: str, call: str | None, following: bool) -> int:
    """Print the logs of the stage calls of a run, or of a single CALL such as `train`."""
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
            Problem("missing-result", f"the run {folder.id} has no logs", hint=_hint_at_producer(store, folder, call))
        )
    shown = [path for path in log_files(folder) if call in (None, path.stem, path.stem.replace(".", ":", 1))]
    for path in shown:
        click.echo(f"==> {path.stem} <==") if call is None else None
        with path.open("r", encoding="utf-8", errors="replace") as file:
            while block := file.readline(BLOCK):
                click.echo(redact_text(drop_colours(block)), nl=False)
    if call is not None and not shown:
        known = [path.stem.replace(".", ":", 1) for path in log_files(folder)]
        raise InvalidInput(
            Problem(
                "missing-result",
                f"the run {folder.id} has no log of `{call}`",
                expected=f"one of {', '.join(known)}",
                did_you_mean=nearest(call, known),
                hint=_hint_at_producer(store, folder, call),
            )
        )
    return 0


def _hint_at_producer(store: Store, folder: RunFolder, call: str | None) -> str | None:
    """Return a hint at the run that has the log of a cached call, because it produced the artifact."""
    plan = read_plan_if_possible(folder)
    calls = [other for other in plan.calls if call in (None, other.label)] if plan is not None else []
    manifests = {other.label: find(store, other.ref) for other in calls}
    others = {label: manifest.run for label, manifest in manifests.items() if manifest and manifest.run != folder.id}
    if not others:
        return None
    label, run = list(others.items())[-1]
    return f"`ftrun logs {run} {label}` prints the log of the run that produced the cached artifact"


def _follow(folder: RunFolder) -> None:
    def has_ended() -> bool:
        return runs.load(folder).status not in runs.OPEN

    with Display(folder) as display:
        for event in follow(folder.events, has_ended):
            display.show(event)
    click.echo(f"{folder.id}: {runs.load(folder).status}")
