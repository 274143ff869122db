"""`ftrun resume RUN`: continue a run; attaches to stage processes that outlived their scheduler."""

from __future__ import annotations

import logging

import click

from ftrun.api.paths import default_store
from ftrun.cli.local_runs import run_in_background, run_in_foreground
from ftrun.cli.remote_runs import submit_run
from ftrun.cli.run_lookup import find_run
from ftrun.cli.trust_option import trust_option
from ftrun.execution.engine import make_backend
from ftrun.plugins.manager import plugins
from ftrun.store import runs
from ftrun.store.run_plan import read_recipe
from ftrun.workflow.consent import require_recorded_consent
from ftrun.workflow.runs import restore_plan

log = logging.getLogger(__name__)


@click.command()
@click.option("-d", "--detach", is_flag=True, help="Run in the background.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@trust_option
@click.argument("run", default="last")
def resume(run: str, detach: bool, as_json: bool, trust: bool) -> int:
    """Continue a run that was stopped, killed or failed. Finished stage calls do not run again."""
    store = default_store()
    folder = find_run(store, run)
    runs.load(folder)  # raises if the record cannot be read
    recipe = read_recipe(folder)
    require_recorded_consent(folder, plugins(), trust)
    backend = make_backend(recipe, plugins(), store)
    if restore_plan(folder, recipe, backend):
        log.warning("the plan of the run could not be read, so its recipe was planned again")
    remote = backend.remote  # also if the run was not submitted yet
    if remote is not None:
        return submit_run(store, folder, remote, detach, as_json)
    if detach:
        return run_in_background(store, folder, as_json)
    return run_in_foreground(store, folder, as_json)
