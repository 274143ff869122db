"""`ftrun envs`: list the environments in which stages run; `ftrun envs make` builds them before a run."""

from __future__ import annotations

import json

import click

from ftrun.api.backends import Backend
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import default_store
from ftrun.api.recipe import Environment
from ftrun.api.stage_call import CLIENT
from ftrun.plugins.manager import plugins
from ftrun.recipe.compose import compose
from ftrun.recipe.validation import validate, with_absolute_paths
from ftrun.utils.suggest import nearest


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def envs(ctx: click.Context, as_json: bool) -> None:
    """List the environments and whether each is ready."""
    if ctx.invoked_subcommand:
        return
    declared = declared_environments()
    backend = _make_backend(declared)
    environments = [
        {
            "name": name,
            "ready": backend.environment_ready(name),
            "digest": backend.environment_digest(name) if name != CLIENT else "",
        }
        for name in declared
    ]
    if as_json:
        print(json.dumps(environments))
        return
    for values in environments:
        state = "ready" if values["ready"] else "not made"
        print(f"{values['name']:<10} {state:<9} {str(values['digest'])[:16]}".rstrip())


@envs.command()
@click.argument("names", nargs=-1)
def make(names: tuple[str, ...]) -> None:
    """Build the environments NAMES, or all environments, before a run."""
    declared = declared_environments()
    backend = _make_backend(declared)
    for name in names or declared:
        _check_name(name, declared)
        if backend.environment_ready(name):
            print(f"{name} is ready")
        else:
            backend.prepare(name, print)


def declared_environments() -> dict[str, Environment]:
    """Return the environments that a recipe has by default."""
    composed = compose([], plugins().config_folders())
    environments = {}
    for name, values in composed.values["environment"].items():
        result = validate(Environment, with_absolute_paths(Environment, values, ("environment", name), composed))
        if isinstance(result, list):
            from ftrun.recipe.load import locate

            raise InvalidInput(locate(result, composed))
        environments[name] = result
    return environments


def _make_backend(declared: dict[str, Environment]) -> Backend:
    cls = plugins().get("backend", "local").cls
    backend: Backend = cls(cls.Options(), declared, default_store())
    return backend


@envs.command()
@click.argument("name")
def path(name: str) -> None:
    """Print the path of an environment's Python interpreter."""
    declared = declared_environments()
    _check_name(name, declared)
    print(_make_backend(declared).environment_python(name))


def _check_name(name: str, declared: dict[str, Environment]) -> None:
    if name not in declared:
        expected = f"one of {', '.join(declared)}"
        raise InvalidInput(
            Problem("unknown-name", f"there is no environment `{name}`", None, expected, nearest(name, declared))
        )
