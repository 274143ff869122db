"""Checks of `ftrun doctor` for runs on Modal: token, environment, secrets, Volume, apps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ftrun.api.doctor import CheckResult, DoctorCheck
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

SECONDS = 10.0  # each check sends one request to Modal
MAX_REQUESTS = 8  # at one time


def checks(recipe: Recipe) -> list[DoctorCheck]:
    needed = recipe.backend.name == ModalBackend.name
    return [DoctorCheck("Modal", lambda: _run_checks(recipe, needed), needed, SECONDS)]


def _run_checks(recipe: Recipe, needed: bool) -> Iterator[CheckResult]:
    """Run the checks. What a run on Modal needs counts as needed only if the recipe runs on Modal."""
    if not needed and not ModalBackend.has_account():
        yield CheckResult("Modal", False, "no account on this machine", False, "modal token new")
        return
    options = Options.model_validate(recipe.backend.options if needed else {})
    for result in examine(options, ModalRemote(options, dict(recipe.environment), plugins())):
        yield replace(result, what=f"Modal: {result.what}", needed=result.needed and needed)


def examine(options: Options, remote: ModalRemote) -> Iterator[CheckResult]:
    """Yield the result of each check. Stops after the first one that fails, because the others depend on it."""
    for check in (_check_client, _check_token, _check_environment, _check_volume):
        result = check(options, remote)
        yield result
        if not result.well:
            return
    with ThreadPoolExecutor(MAX_REQUESTS) as pool:
        yield from pool.map(lambda name: _check_secret(name, options), SECRETS)
    yield _check_apps(options, remote)


def _check_client(options: Options, remote: ModalRemote) -> CheckResult:
    import modal

    return CheckResult("client", True, f"modal {modal.__version__}")


def _check_token(options: Options, remote: ModalRemote) -> CheckResult:
    def greet() -> str:
        import modal

        modal.Client.from_env().hello()
        return "accepted"

    return _make_result("token", greet, hint="modal token new")


def _check_environment(options: Options, remote: ModalRemote) -> CheckResult:
    def find_dict() -> str:
        import modal

        modal.Dict.from_name(options.claims, create_if_missing=True, environment_name=options.environment).hydrate()
        return options.environment or "the workspace's default"

    return _make_result("environment", find_dict, hint="modal environment list; then backend.environment=NAME")


def _check_volume(options: Options, remote: ModalRemote) -> CheckResult:
    return _make_result("volume", lambda: f"{options.volume}, {len(remote.known())} runs")


def _check_secret(name: str, options: Options) -> CheckResult:
    variables = " or ".join(variables_of(name))
    exists = has_secret(name, options)
    return CheckResult(
        f"secret {options.secret(name)}",
        exists,
        f"has {variables}" if exists else f"does not exist, or has no {variables}",
        needed=False,
        hint=None if exists else options.secret_advice(name),
    )


def _check_apps(options: Options, remote: ModalRemote) -> CheckResult:
    return _make_result("apps", lambda: ", ".join(deployed_apps(options)) or "none deployed yet; a run deploys its app")


def _make_result(name: str, check: Callable[[], str], hint: str | None = None) -> CheckResult:
    try:
        with modal_errors(f"checking the {name}"):
            return CheckResult(name, True, check())
    except FtrunError as error:
        problem = error.problems[0]
        return CheckResult(name, False, problem.what, hint=hint or problem.hint)
