"""Looks at everything that a run on Modal needs: token, environment, secrets, Volume, apps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ftrun.errors import FtrunError
from ftrun.plan.secrets import SECRETS, variables_of
from ftrun_plugins.modal.app import deployed_apps
from ftrun_plugins.modal.errors import modal_errors
from ftrun_plugins.modal.options import Options
from ftrun_plugins.modal.remote import ModalRemote
from ftrun_plugins.modal.secrets import has_secret


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. What is `needed` and not well makes the command fail."""

    what: str
    well: bool
    detail: str
    needed: bool = True
    do: str | None = None


def examine(options: Options, remote: ModalRemote) -> Iterator[Finding]:
    """Stops at the first needed thing that is missing, for the rest hangs on it."""
    for look in (_client, _token, _environment, _volume):
        finding = look(options, remote)
        yield finding
        if not finding.well:
            return
    for name in SECRETS:
        yield _secret(name, options)
    yield _apps(options, remote)


def _client(options: Options, remote: ModalRemote) -> Finding:
    import modal

    return Finding("client", True, f"modal {modal.__version__}")


def _token(options: Options, remote: ModalRemote) -> Finding:
    def look() -> str:
        import modal

        modal.Client.from_env().hello()
        return "accepted"

    return _finding("token", look, do="modal token new")


def _environment(options: Options, remote: ModalRemote) -> Finding:
    def look() -> str:
        import modal

        modal.Dict.from_name(options.claims, create_if_missing=True, environment_name=options.environment).hydrate()
        return options.environment or "the workspace's default"

    return _finding("environment", look, do="modal environment list; then backend.environment=NAME")


def _volume(options: Options, remote: ModalRemote) -> Finding:
    return _finding("volume", lambda: f"{options.volume}, {len(remote.known())} runs")


def _secret(name: str, options: Options) -> Finding:
    variables = " or ".join(variables_of(name))
    there = has_secret(name, options)
    return Finding(
        f"secret {options.secret(name)}",
        there,
        f"has {variables}" if there else f"is not there, or has no {variables}",
        needed=False,
        do=None if there else options.secret_advice(name),
    )


def _apps(options: Options, remote: ModalRemote) -> Finding:
    return _finding(
        "apps", lambda: ", ".join(deployed_apps(options)) or "none deployed yet; a run deploys what it needs"
    )


def _finding(what: str, look: Callable[[], str], do: str | None = None) -> Finding:
    try:
        with modal_errors(f"looking at the {what}"):
            return Finding(what, True, look())
    except FtrunError as error:
        problem = error.problems[0]
        return Finding(what, False, problem.what, do=do or problem.do)
