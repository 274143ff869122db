"""`ftrun recipes`: list the recipes; `show NAME`: print a recipe; `copy NAME FILE`: copy a recipe for editing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import yaml

from ftrun.api.config_dirs import headline, recipe_names
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.output_file import write_output
from ftrun.plugins.manager import plugins
from ftrun.recipe.compose import compose
from ftrun.utils.path_option import PathOption
from ftrun.utils.suggest import nearest


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def recipes(ctx: click.Context, as_json: bool) -> None:
    """List the recipes, each with the first line of its header."""
    if ctx.invoked_subcommand:
        return
    headlines = {name: (provider, headline(file)) for name, provider, file in _list_recipes()}
    if as_json:
        print(
            json.dumps(
                [{"name": name, "provider": provider, "about": about} for name, (provider, about) in headlines.items()]
            )
        )
        return
    width = max(map(len, headlines), default=0)
    for name, (provider, about) in headlines.items():
        print(f"{name:<{width}}  {about}" + (f"  [{provider}]" if provider != "ftrun" else ""))


@recipes.command()
@click.argument("name")
def show(name: str) -> None:
    """Print the source and the composed form of a recipe."""
    file = _find_recipe_file(name)
    print(f"# {file}\n{file.read_text(encoding='utf-8').rstrip()}\n")
    composed = compose([f"recipe={name}"], plugins().config_folders())
    print("# composed\n" + yaml.safe_dump(composed.values, sort_keys=False, allow_unicode=True).rstrip())


@recipes.command()
@click.argument("name")
@click.argument("target", metavar="FILE", type=PathOption())
def copy(name: str, target: Path) -> None:
    """Copy a recipe to a new FILE or into a folder, for editing.

    Relative paths in the copy lead to the same files as in the original.
    """
    from ftrun.recipe.export import rebase_recipe

    source = _find_recipe_file(name)
    file = target / source.name if target.is_dir() else target
    if file.suffix not in (".yaml", ".yml"):
        raise InvalidInput(
            Problem("invalid-value", f"{file} is not the name of a recipe file", expected="a name that ends in .yaml")
        )
    if file.exists():
        raise InvalidInput(
            Problem("file-exists", f"{file} already exists", hint="name another file, or remove it first")
        )
    write_output(file, rebase_recipe(name, source, file, plugins()))
    print(f"{file}\n\nnext     ftrun validate recipe={shlex.quote(str(file))}")


def _find_recipe_file(name: str) -> Path:
    files = {known: file for known, _, file in _list_recipes()}
    if name not in files:
        raise InvalidInput(
            Problem(
                "unknown-name",
                f"there is no recipe named `{name}`",
                did_you_mean=nearest(name, files),
                hint="`ftrun recipes` lists them",
            )
        )
    return files[name]


def _list_recipes() -> Iterator[tuple[str, str, Path]]:
    for folder in plugins().config_folders():
        if folder.recipes:
            for name in recipe_names(folder.recipes):
                yield name, folder.provider, folder.recipes / f"{name}.yaml"
