"""The folders that recipes and config groups come from: ftrun's own and those of other packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.package_data import shipped


@dataclass(frozen=True)
class ConfigFolders:
    """What one provider adds: a folder of config groups, a folder of recipes, or both.

    A plugin need not name its provider: it is its distribution.
    """

    provider: str = ""
    conf: Path | None = None
    recipes: Path | None = None


def own_folders() -> ConfigFolders:
    return ConfigFolders("ftrun", shipped("conf"), shipped("recipes"))


def check_unique(folders: Iterable[ConfigFolders]) -> None:
    """Hydra silently takes the first of two files with one name: two providers of one name are an error."""
    owners: dict[str, str] = {}
    problems = []
    for folder in folders:
        for name in _names(folder):
            owner = owners.setdefault(name, folder.provider)
            if owner != folder.provider:
                problems.append(
                    Problem(
                        "name-conflict",
                        f"`{name}` is provided by both {owner} and {folder.provider}",
                        hint="uninstall one of them",
                    )
                )
    if problems:
        raise InvalidInput(problems)


def _names(folder: ConfigFolders) -> Iterator[str]:
    if folder.recipes:
        yield from (f"recipe={name}" for name in recipe_names(folder.recipes))
    if folder.conf:
        for file in sorted(folder.conf.glob("*/**/*.yaml")):
            group, option = file.relative_to(folder.conf).parent.as_posix(), file.stem
            yield f"{group}={option}"


def options_of(folder: ConfigFolders, group: str) -> list[str]:
    """The names that a provider adds to a group."""
    if group == "recipe":
        return recipe_names(folder.recipes) if folder.recipes else []
    return sorted(file.stem for file in folder.conf.glob(f"{group}/*.yaml")) if folder.conf else []


def headline(file: Path) -> str:
    """What the first line of a recipe or an option says of it, where that is a comment; without its full stop."""
    with file.open(encoding="utf-8") as lines:
        first = lines.readline()
    return first.strip("# \n").rstrip(".") if first.startswith("#") else ""


def recipe_names(folder: Path) -> list[str]:
    """Names of the recipes in a folder; those that begin with `_` are only inherited from."""
    files = (file for file in folder.rglob("*.yaml") if not file.name.startswith("_"))
    return sorted(file.relative_to(folder).with_suffix("").as_posix() for file in files)
