"""Looks at everything that a run on Modal needs: token, environment, secrets, Volume, apps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ftrun.api.backends import CheckResult, DoctorCheck
from ftrun.api.errors import FtrunError
from ftrun.api.recipe import Recipe
from ftrun.api.secrets import SECRETS, variables_of
from ftrun.plugins.manager import plugins
from ftrun_plugins.modal.backend import ModalBackend
from ftrun_plugins.modal.client.app import deployed_apps
from ftrun_plugins.modal.client.remote import ModalRemote
from ftrun_plugins.modal.errors import modal_errors
from ftrun_plugins.modal.options import Options
from ftrun_plugins.modal.secrets import has_secret

SECONDS = 10.0  # each look asks Modal once
AT_ONCE = 8


def checks(recipe: Recipe) -> list[DoctorCheck]:
    needed = recipe.backend.name == ModalBackend.name
    return [DoctorCheck("Modal", lambda: _looks(recipe, needed), needed, SECONDS)]


def _looks(recipe: Recipe, needed: bool) -> Iterator[CheckResult]:
    """Those that runs on Modal need count as needed only where the recipe runs there."""
    if not needed and not ModalBackend.has_account():
        yield CheckResult("Modal", False, "no account on this machine", False, "modal token new")
        return
    options = Options.model_validate(recipe.backend.options if needed else {})
    for health in examine(options, ModalRemote(options, dict(recipe.environment), plugins())):
        yield replace(health, what=f"Modal: {health.what}", needed=health.needed and needed)


def examine(options: Options, remote: ModalRemote) -> Iterator[CheckResult]:
    """Stops at the first needed thing that is missing, for the rest hangs on it."""
    for look in (_client, _token, _environment, _volume):
        finding = look(options, remote)
        yield finding
        if not finding.well:
            return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda name: _secret(name, options), SECRETS)
    yield _apps(options, remote)


def _client(options: Options, remote: ModalRemote) -> CheckResult:
    import modal

    return CheckResult("client", True, f"modal {modal.__version__}")


def _token(options: Options, remote: ModalRemote) -> CheckResult:
    def look() -> str:
        import modal

        modal.Client.from_env().hello()
        return "accepted"

    return _finding("token", look, hint="modal token new")


def _environment(options: Options, remote: ModalRemote) -> CheckResult:
    def look() -> str:
        import modal

        modal.Dict.from_name(options.claims, create_if_missing=True, environment_name=options.environment).hydrate()
        return options.environment or "the workspace's default"

    return _finding("environment", look, hint="modal environment list; then backend.environment=NAME")


def _volume(options: Options, remote: ModalRemote) -> CheckResult:
    return _finding("volume", lambda: f"{options.volume}, {len(remote.known())} runs")


def _secret(name: str, options: Options) -> CheckResult:
    variables = " or ".join(variables_of(name))
    there = has_secret(name, options)
    return CheckResult(
        f"secret {options.secret(name)}",
        there,
        f"has {variables}" if there else f"is not there, or has no {variables}",
        needed=False,
        hint=None if there else options.secret_advice(name),
    )


def _apps(options: Options, remote: ModalRemote) -> CheckResult:
    return _finding(
        "apps", lambda: ", ".join(deployed_apps(options)) or "none deployed yet; a run deploys what it needs"
    )


def _finding(what: str, look: Callable[[], str], hint: str | None = None) -> CheckResult:
    try:
        with modal_errors(f"looking at the {what}"):
            return CheckResult(what, True, look())
    except FtrunError as error:
        problem = error.problems[0]
        return CheckResult(what, False, problem.what, hint=hint or problem.hint)
