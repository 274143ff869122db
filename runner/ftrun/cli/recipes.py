"""`ftrun recipes`: one line each; `ftrun recipes show NAME`: a recipe's source and what it composes to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import yaml

from ftrun.errors import Problem, Refused
from ftrun.plugins import plugins
from ftrun.recipe.compose import compose
from ftrun.recipe.folders import recipe_names
from ftrun.suggest import nearest


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def recipes(ctx: click.Context, as_json: bool) -> None:
    """Lists the recipes, each with the first line of its header."""
    if ctx.invoked_subcommand:
        return
    found = {name: (provider, _headline(file)) for name, provider, file in _recipes()}
    if as_json:
        print(
            json.dumps(
                [{"name": name, "provider": provider, "about": about} for name, (provider, about) in found.items()]
            )
        )
        return
    width = max(map(len, found), default=0)
    for name, (provider, about) in found.items():
        print(f"{name:<{width}}  {about}" + (f"  [{provider}]" if provider != "ftrun" else ""))


@recipes.command()
@click.argument("name")
def show(name: str) -> None:
    """Prints a recipe's source, then the composed form with every value."""
    files = {known: file for known, _, file in _recipes()}
    if name not in files:
        raise Refused(
            Problem(f"there is no recipe named `{name}`", nearest=nearest(name, files), do="`ftrun recipes` lists them")
        )
    print(f"# {files[name]}\n{files[name].read_text(encoding='utf-8').rstrip()}\n")
    composed = compose([f"recipe={name}"], plugins().config_folders())
    print("# composed\n" + yaml.safe_dump(composed.values, sort_keys=False, allow_unicode=True).rstrip())


def _recipes() -> Iterator[tuple[str, str, Path]]:
    for folder in plugins().config_folders():
        if folder.recipes:
            for name in recipe_names(folder.recipes):
                yield name, folder.provider, folder.recipes / f"{name}.yaml"


def _headline(file: Path) -> str:
    first = file.read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ").rstrip(".") if first.startswith("#") else ""
