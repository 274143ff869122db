"""Folders of recipes and config groups: those of ftrun and of other packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.package_data import find_data_folder

__all__ = ["ConfigFolders", "check_unique", "headline", "options_of", "own_folders", "recipe_names"]


@dataclass(frozen=True)
class ConfigFolders:
    """Folders of one provider: a folder of config groups, a folder of recipes, or both.

    A plugin need not set `provider`, because ftrun sets it to the distribution of the plugin.
    """

    provider: str = ""
    conf: Path | None = None
    recipes: Path | None = None


def own_folders() -> ConfigFolders:
    """Return the folders that are part of ftrun."""
    return ConfigFolders("ftrun", find_data_folder("conf"), find_data_folder("recipes"))


def check_unique(folders: Iterable[ConfigFolders]) -> None:
    """Check that no two providers add the same name, because Hydra silently uses the first of two such files.

    Raises:
        InvalidInput: If two providers add the same recipe or option of a config group.
    """
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
    """Return the names that a provider adds to a config group."""
    if group == "recipe":
        return recipe_names(folder.recipes) if folder.recipes else []
    return sorted(file.stem for file in folder.conf.glob(f"{group}/*.yaml")) if folder.conf else []


def headline(file: Path) -> str:
    """Return the comment on the first line of a recipe or an option, without its full stop. Empty if there is none."""
    with file.open(encoding="utf-8") as lines:
        first = lines.readline()
    return first.strip("# \n").rstrip(".") if first.startswith("#") else ""


def recipe_names(folder: Path) -> list[str]:
    """Return the names of the recipes in a folder, without those that begin with `_`, which only serve as bases."""
    files = (file for file in folder.rglob("*.yaml") if not file.name.startswith("_"))
    return sorted(file.relative_to(folder).with_suffix("").as_posix() for file in files)
