"""`ftrun resume RUN`: goes on with a run; attaches to a stage process that outlived its scheduler."""

from __future__ import annotations

import click

from ftrun.api.paths import default_store
from ftrun.cli.local_runs import in_background, in_foreground
from ftrun.cli.remote_runs import submit_run
from ftrun.cli.run_lookup import find_run
from ftrun.execution.engine import make_backend, read_recipe
from ftrun.plugins.manager import plugins


@click.command()
@click.option("-d", "--detach", is_flag=True, help="Leave the run going in the background.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.argument("run", default="last")
def resume(run: str, detach: bool, as_json: bool) -> int:
    """Goes on with a run that was stopped, killed or failed; what it finished is kept."""
    store = default_store()
    folder = find_run(store, run)
    remote = make_backend(read_recipe(folder), plugins(), store).remote  # also where a run was not submitted yet
    if remote is not None:
        return submit_run(store, folder, remote, detach, as_json)
    if detach:
        return in_background(store, folder, as_json)
    return in_foreground(store, folder, as_json)
