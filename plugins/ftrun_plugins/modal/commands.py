"""Command `ftrun deploy`."""

from __future__ import annotations

import sys

import click

from ftrun.api.errors import InvalidInput, Problem
from ftrun.cli.trust_option import trust_option
from ftrun.workflow.session import Session, open_session

DEFAULT_RECIPE = "recipe=quickstart"


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--prune", is_flag=True, help="Stop deployed apps of older code that no run uses.")
@trust_option
@click.argument("overrides", nargs=-1)
def deploy(overrides: tuple[str, ...], prune: bool, trust: bool) -> int:
    """Deploy to Modal ahead of a run, so that the first run does not wait for images to be built."""
    from ftrun_plugins.modal.client.prune import prune_apps

    session = _open_modal_session(overrides, trust)
    remote = session.backend.remote
    assert remote is not None
    app = remote.app(session.plan.calls)  # type: ignore[attr-defined]
    if app.is_deployed():
        print(f"{app.name} is already deployed")
    else:
        app.deploy(print, show=sys.stderr.isatty())
    if prune:
        for name, status in prune_apps(app.name, app.options, remote):  # type: ignore[arg-type]
            print(f"{name} {status}")
    return 0


def _open_modal_session(overrides: tuple[str, ...], trust: bool) -> Session:
    session = open_session(_add_defaults(overrides), trust)
    if session.backend.remote is None:
        raise InvalidInput(Problem("usage", "`ftrun deploy` requires the backend `modal`", hint="backend=modal"))
    return session


def _add_defaults(overrides: tuple[str, ...]) -> list[str]:
    completed = list(overrides)
    if not any(override.startswith("recipe=") for override in completed):
        completed.insert(0, DEFAULT_RECIPE)
    if not any(override.startswith("backend=") for override in completed):
        completed.append("backend=modal")
    return completed
