"""`ftrun validate`: check a recipe, or all recipes."""

from __future__ import annotations

import json

import click

from ftrun.api.config_dirs import recipe_names
from ftrun.api.errors import FtrunError, InvalidInput, Problem
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--all", "everything", is_flag=True, help="Check all recipes of ftrun and of plugins.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.argument("overrides", nargs=-1)
def validate(overrides: tuple[str, ...], everything: bool, as_json: bool) -> int:
    """Check a recipe strictly: every key at every depth, types, values, and rules across fields."""
    names = _list_names() if everything else []
    problems: dict[str, list[Problem]] = {}
    for arguments in [[f"recipe={name}", *overrides] for name in names] or [list(overrides)]:
        try:
            loaded = load(arguments, plugins())
            problems[loaded.recipe.name] = []
        except FtrunError as error:
            problems[arguments[0].removeprefix("recipe=") if everything else "recipe"] = list(error.problems)
    errors = [_add_name(name, problem, everything) for name, group in problems.items() for problem in group]
    if errors:
        raise InvalidInput(errors)
    print(json.dumps({"valid": list(problems)}) if as_json else "\n".join(f"{name}: valid" for name in problems))
    return 0


def _list_names() -> list[str]:
    return [name for folder in plugins().config_folders() if folder.recipes for name in recipe_names(folder.recipes)]


def _add_name(name: str, problem: Problem, everything: bool) -> Problem:
    return (
        Problem(
            problem.code, f"{name}: {problem.what}", problem.at, problem.expected, problem.did_you_mean, problem.hint
        )
        if everything
        else problem
    )
