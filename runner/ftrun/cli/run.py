"""`ftrun run` and `ftrun OVERRIDES`: runs a recipe, or each point of a sweep."""

from __future__ import annotations

import click

from ftrun.api.errors import FtrunError
from ftrun.api.paths import RunFolder
from ftrun.cli.local_runs import in_background, in_foreground
from ftrun.cli.remote_runs import submit_run
from ftrun.cli.session import Session, open_session
from ftrun.execution.engine import prepare
from ftrun.execution.provenance import collect_provenance


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("-m", "--multirun", is_flag=True, help="Sweep: run every point that the overrides span.")
@click.option("-d", "--detach", is_flag=True, help="Leave the run going in the background.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.argument("overrides", nargs=-1)
def run(overrides: tuple[str, ...], multirun: bool, detach: bool, as_json: bool) -> int:
    """Runs a recipe: what is cached is kept, the rest is made."""
    if not multirun:
        return start(open_session(overrides), detach, as_json)
    from ftrun.cli.hydra_flags import points

    return _sweep(points(overrides), detach, as_json)


def start(session: Session, detach: bool, as_json: bool, rerun_of: str | None = None) -> int:
    """Runs what a session has planned, here or elsewhere. Raises the error that the run ended with."""
    session.check_access()
    session.check_budget()
    folder = _folder(session, rerun_of)
    if session.backend.remote is not None:
        return submit_run(session.store, folder, session.backend.remote, detach, as_json)
    if detach:
        return in_background(session.store, folder, as_json)
    return in_foreground(session.store, folder, as_json)


def _folder(session: Session, rerun_of: str | None) -> RunFolder:
    loaded = session.loaded
    known = collect_provenance(session.plan, session.backend)
    return prepare(session.store, loaded.recipe, session.plan, loaded.given, loaded.origins(), known, rerun_of)


def _sweep(points: list[list[str]], detach: bool, as_json: bool) -> int:
    """One run a point, one after the other; what they share is made once. Ends with the worst exit code."""
    sessions = [open_session(point) for point in points]  # a mistake in the last point is found before the first runs
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
