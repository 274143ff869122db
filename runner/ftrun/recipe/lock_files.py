"""Check of the lock files that the environments of a recipe name."""

from __future__ import annotations

from collections.abc import Iterator

from ftrun.api.errors import InvalidInput
from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun.api.recipe_files import read_recipe_file

PINNED = "=="  # between the name and the version of a package


def check_lock_files(recipe: Recipe) -> Iterator[Issue]:
    """Yield an issue for each lock file that does not exist, cannot be read, or pins no package."""
    for name, environment in recipe.environment.items():
        if environment.lock is None:
            continue
        path = ("environment", name, "lock")
        try:
            text = read_recipe_file(environment.lock)
        except InvalidInput as error:
            for problem in error.problems:
                what = f"`environment.{name}.lock` names the file {problem.at}: {problem.what}"
                yield Issue(problem.code, path, what, problem.expected, problem.did_you_mean, problem.hint)
            continue
        if PINNED not in text:
            what = f"`environment.{name}.lock` names the file {environment.lock}, which pins no package"
            yield Issue("wrong-format", path, what, "lines such as `torch==2.14.1`")
