"""The verbs `ftrun deploy` and `ftrun doctor`."""

from __future__ import annotations

import json
import sys

import click

from ftrun.cli.session import Session, open_session
from ftrun.errors import Problem, Refused
from ftrun.plugins import plugins
from ftrun.recipe.types import Environment
from ftrun_plugins.modal.options import Options

DEFAULT_RECIPE = "recipe=quickstart"


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--prune", is_flag=True, help="Stop apps of older code that no run uses any more.")
@click.argument("overrides", nargs=-1)
def deploy(overrides: tuple[str, ...], prune: bool) -> int:
    """Deploys to Modal ahead of a run: images are built now, and the first run starts at once."""
    from ftrun_plugins.modal.prune import prune_apps

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


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.argument("overrides", nargs=-1)
def doctor(overrides: tuple[str, ...], as_json: bool) -> int:
    """Checks what runs on Modal need: token, environment, Volume, secrets."""
    from ftrun_plugins.modal.doctor import examine
    from ftrun_plugins.modal.remote import ModalRemote

    options, environments = _declared(overrides)
    findings = []
    for finding in examine(options, ModalRemote(options, environments, plugins())):
        findings.append(finding)
        if not as_json:
            state = "ok" if finding.well else "missing" if finding.needed else "absent"
            print(f"{state:<8} {finding.what:<20} {finding.detail}")
            if finding.do and not finding.well:
                print(f"{'':<29} {finding.do}")
    if as_json:
        print(json.dumps([finding.__dict__ for finding in findings]))
    return 0 if all(finding.well or not finding.needed for finding in findings) else 2


def _session(overrides: tuple[str, ...]) -> Session:
    session = open_session(_with_defaults(overrides))
    if session.backend.remote is None:
        raise Refused(Problem("only the backend `modal` deploys", do="backend=modal"))
    return session


def _with_defaults(overrides: tuple[str, ...]) -> list[str]:
    given = list(overrides)
    if not any(override.startswith("recipe=") for override in given):
        given.insert(0, DEFAULT_RECIPE)
    if not any(override.startswith("backend=") for override in given):
        given.append("backend=modal")
    return given


def _declared(overrides: tuple[str, ...]) -> tuple[Options, dict[str, Environment]]:
    from ftrun.recipe.load import load

    recipe = load(_with_defaults(overrides), plugins()).recipe
    return Options.model_validate(recipe.backend.options), dict(recipe.environment)
