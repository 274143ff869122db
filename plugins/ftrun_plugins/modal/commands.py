"""The verb `ftrun deploy`."""

from __future__ import annotations

import sys

import click

from ftrun.api.errors import InvalidInput, Problem
from ftrun.cli.session import Session, open_session

DEFAULT_RECIPE = "recipe=quickstart"


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--prune", is_flag=True, help="Stop apps of older code that no run uses any more.")
@click.argument("overrides", nargs=-1)
def deploy(overrides: tuple[str, ...], prune: bool) -> int:
    """Deploys to Modal ahead of a run: images are built now, and the first run starts at once."""
    from ftrun_plugins.modal.client.prune import prune_apps

    session = _session(overrides)
    remote = session.backend.remote
    assert remote is not None
    app = remote.app(session.plan.calls)  # type: ignore[attr-defined]
    if app.is_deployed():
        print(f"{app.name} is deployed")
    else:
        app.deploy(print, show=sys.stderr.isatty())
    if prune:
        for name, why in prune_apps(app.name, app.options, remote):  # type: ignore[arg-type]
            print(f"{name} {why}")
    return 0


def _session(overrides: tuple[str, ...]) -> Session:
    session = open_session(_with_defaults(overrides))
    if session.backend.remote is None:
        raise InvalidInput(Problem("usage", "only the backend `modal` deploys", hint="backend=modal"))
    return session


def _with_defaults(overrides: tuple[str, ...]) -> list[str]:
    given = list(overrides)
    if not any(override.startswith("recipe=") for override in given):
        given.insert(0, DEFAULT_RECIPE)
    if not any(override.startswith("backend=") for override in given):
        given.append("backend=modal")
    return given
