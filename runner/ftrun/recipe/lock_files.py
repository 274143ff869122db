"""Check of the lock files that the environments of a recipe name."""

from __future__ import annotations

from collections.abc import Iterator

from ftrun.api.errors import InvalidInput
from ftrun.api.issues import Issue
from ftrun.api.locks import wrong_lines
from ftrun.api.recipe import Recipe
from ftrun.api.recipe_files import read_recipe_file
from ftrun.utils.package_data import find_data_folder
from ftrun.utils.value_format import shorten_value

PINNED = "=="  # between the name and the version of a package


def check_lock_files(recipe: Recipe) -> Iterator[Issue]:
    """Yield an issue for each lock file that does not exist, cannot be read, or does not only pin packages."""
    for name, environment in recipe.environment.items():
        if environment.lock is None or environment.lock.parent == find_data_folder("locks"):  # tests check those
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
            continue
        wrong = next(wrong_lines(text), None)
        if wrong is not None:
            what = f"line {wrong[0]} of the lock {environment.lock} is {shorten_value(wrong[1])}"
            expected = "lines such as `torch==2.14.1`, without paths, URLs and options of pip"
            yield Issue("wrong-format", path, what, expected)
