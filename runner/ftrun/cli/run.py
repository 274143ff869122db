"""`ftrun run` and `ftrun OVERRIDES`: run a recipe, or each point of a sweep."""

from __future__ import annotations

import click

from ftrun.api.errors import FtrunError
from ftrun.cli.local_runs import run_in_background, run_in_foreground
from ftrun.cli.remote_runs import submit_run
from ftrun.cli.trust_option import trust_option
from ftrun.workflow.runs import create_run
from ftrun.workflow.session import Session, open_session


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("-m", "--multirun", is_flag=True, help="Run a sweep: every combination of the values in the overrides.")
@click.option("-d", "--detach", is_flag=True, help="Run in the background.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@trust_option
@click.argument("overrides", nargs=-1)
def run(overrides: tuple[str, ...], multirun: bool, detach: bool, as_json: bool, trust: bool) -> int:
    """Run a recipe. Stage calls that are cached do not run again."""
    if not multirun:
        return start(open_session(overrides, trust), detach, as_json)
    from ftrun.cli.hydra_flags import expand_sweep

    return _run_sweep(expand_sweep(overrides), detach, as_json, trust)


def start(session: Session, detach: bool, as_json: bool, rerun_of: str | None = None) -> int:
    """Run the plan of a session, on this machine or on the remote backend of the recipe.

    Raises:
        InvalidInput: If access is missing or the cost is over the budget.
        FtrunError: If the run fails; the error is the one that it ended with.
    """
    created = create_run(session, rerun_of)
    if created.remote is not None:
        return submit_run(created.store, created.folder, created.remote, detach, as_json)
    if detach:
        return run_in_background(created.store, created.folder, as_json)
    return run_in_foreground(created.store, created.folder, as_json)


def _run_sweep(points: list[list[str]], detach: bool, as_json: bool, trust: bool) -> int:
    """Run the points of a sweep one after the other. Return the highest exit code; stop if a run is interrupted."""
    sessions = [
        open_session(point, trust) for point in points
    ]  # report an error in any point before the first one runs
    codes = []
    for number, (point, session) in enumerate(zip(points, sessions, strict=True), 1):
        if not as_json:
            print(f"point {number} of {len(points)}: {' '.join(point)}")
        try:
            codes.append(start(session, detach, as_json))
        except FtrunError as error:
            from ftrun.cli.error_output import report

            codes.append(report(error, as_json))
            if error.exit_code == 130:
                return 130
    return max(codes, default=0)
