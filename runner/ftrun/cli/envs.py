"""`ftrun envs`: the environments that stages run in; `ftrun envs make` builds them ahead."""

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
    """Lists the environments, and whether each is made."""
    if ctx.invoked_subcommand:
        return
    declared = declared_environments()
    backend = _backend(declared)
    found = [
        {
            "name": name,
            "ready": backend.environment_ready(name),
            "digest": backend.environment_digest(name) if name != CLIENT else "",
        }
        for name in declared
    ]
    if as_json:
        print(json.dumps(found))
        return
    for one in found:
        print(f"{one['name']:<10} {'ready' if one['ready'] else 'not made':<9} {str(one['digest'])[:16]}".rstrip())


@envs.command()
@click.argument("names", nargs=-1)
def make(names: tuple[str, ...]) -> None:
    """Makes environments ahead of a run: all of them, or those named."""
    declared = declared_environments()
    backend = _backend(declared)
    for name in names or declared:
        _check_name(name, declared)
        if backend.environment_ready(name):
            print(f"{name} is ready")
        else:
            backend.prepare(name, print)


def declared_environments() -> dict[str, Environment]:
    """The environments that a recipe has unless it says otherwise."""
    composed = compose([], plugins().config_folders())
    found = {}
    for name, values in composed.values["environment"].items():
        result = validate(Environment, with_absolute_paths(Environment, values, ("environment", name), composed))
        if isinstance(result, list):
            from ftrun.recipe.load import locate

            raise InvalidInput(locate(result, composed))
        found[name] = result
    return found


def _backend(declared: dict[str, Environment]) -> Backend:
    cls = plugins().get("backend", "local").cls
    backend: Backend = cls(cls.Options(), declared, default_store())
    return backend


@envs.command()
@click.argument("name")
def path(name: str) -> None:
    """Prints the interpreter of an environment."""
    declared = declared_environments()
    _check_name(name, declared)
    print(_backend(declared).environment_python(name))


def _check_name(name: str, declared: dict[str, Environment]) -> None:
    if name not in declared:
        expected = f"one of {', '.join(declared)}"
        raise InvalidInput(
            Problem("unknown-name", f"there is no environment `{name}`", None, expected, nearest(name, declared))
        )
