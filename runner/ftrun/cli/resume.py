"""`ftrun resume RUN`: continue a run; attaches to stage processes that outlived their scheduler."""

from __future__ import annotations

import click

from ftrun.api.paths import default_store
from ftrun.cli.local_runs import run_in_background, run_in_foreground
from ftrun.cli.remote_runs import submit_run
from ftrun.cli.run_lookup import find_run
from ftrun.cli.trust_option import trust_option
from ftrun.execution.engine import make_backend, read_recipe
from ftrun.plugins.manager import plugins
from ftrun.workflow.consent import require_recorded_consent


@click.command()
@click.option("-d", "--detach", is_flag=True, help="Run in the background.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@trust_option
@click.argument("run", default="last")
def resume(run: str, detach: bool, as_json: bool, trust: bool) -> int:
    """Continue a run that was stopped, killed or failed. Finished stage calls do not run again."""
    store = default_store()
    folder = find_run(store, run)
    require_recorded_consent(folder, plugins(), trust)
    remote = make_backend(read_recipe(folder), plugins(), store).remote  # also if the run was not submitted yet
    if remote is not None:
        return submit_run(store, folder, remote, detach, as_json)
    if detach:
        return run_in_background(store, folder, as_json)
    return run_in_foreground(store, folder, as_json)
