"""Inventory of plugins: what each installed package registers, and the problems of those that cannot be loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ftrun import __version__
from ftrun.api.config_dirs import ConfigFolders, check_unique, options_of, own_folders, recipe_names
from ftrun.api.errors import InvalidInput, Problem
from ftrun.plugins.manager import KINDS, OWN, Plugin, Plugins, load_all
from ftrun.plugins.validation import HOOKS


@dataclass(frozen=True)
class DistributionInfo:
    """A package, with the names that it registers by kind, its options in config groups, and its problems."""

    distribution: str
    contents: dict[str, tuple[str, ...]]
    groups: dict[str, tuple[str, ...]]
    problems: tuple[Problem, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        problems = [problem.as_dict() for problem in self.problems]
        return {"distribution": self.distribution, **self.contents, "groups": self.groups, "problems": problems}

    def lines(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each kind of thing that the package registers, with its names, for a person.

        Config groups come last and end with `=`, because an option is chosen with `GROUP=OPTION`.
        """
        everything = {**self.contents, **{f"{group}=": names for group, names in self.groups.items()}}
        yield from ((kind, names) for kind, names in everything.items() if names)


def list_distributions(verbs: Mapping[str, object]) -> list[DistributionInfo]:
    """Return all packages, ftrun first. `verbs` are the verbs of ftrun."""
    loaded, problems = load_all()
    owners = dict.fromkeys([OWN, *(plugin.distribution for plugin in loaded.loaded.values()), *problems])
    infos = [_describe_owner(owner, loaded, verbs, problems.get(owner, ())) for owner in owners]
    folders = [folder for owner in owners for folder in _load_folders(owner, loaded)[0]]
    try:
        check_unique(folders)
    except InvalidInput as error:  # reported with the last package, after all valid ones
        infos[-1] = replace(infos[-1], problems=(*infos[-1].problems, *error.problems))
    return infos


def _describe_owner(
    owner: str, loaded: Plugins, verbs: Mapping[str, object], problems: tuple[Problem, ...]
) -> DistributionInfo:
    contents = {
        f"{kind}s": tuple(sorted(name for name, item in loaded.of_kind(kind).items() if item.distribution == owner))
        for kind in KINDS
    }
    folders, folder_problems = _load_folders(owner, loaded)
    commands, verb_problems = _list_verbs(owner, loaded, verbs)
    recipes = (name for folder in folders if folder.recipes for name in recipe_names(folder.recipes))
    contents |= {"recipes": tuple(recipes), "verbs": commands, "hooks": tuple(_list_hooks(owner, loaded))}
    groups = {group: names for folder in folders for group, names in _list_options(folder)}
    distribution = f"{OWN} {__version__}" if owner == OWN else owner
    return DistributionInfo(distribution, contents, groups, (*problems, *folder_problems, *verb_problems))


def _list_plugins(owner: str, loaded: Plugins) -> list[Plugin]:
    return [plugin for plugin in loaded.loaded.values() if plugin.distribution == owner]


def _load_folders(owner: str, loaded: Plugins) -> tuple[list[ConfigFolders], tuple[Problem, ...]]:
    if owner == OWN:
        return [own_folders()], ()
    try:
        return loaded.folders_of(*_list_plugins(owner, loaded)), ()
    except InvalidInput as error:
        return [], error.problems


def _list_options(folder: ConfigFolders) -> Iterator[tuple[str, tuple[str, ...]]]:
    if folder.conf:
        groups = sorted(path.name for path in folder.conf.iterdir() if path.is_dir())
        yield from ((group, tuple(options_of(folder, group))) for group in groups)


def _list_verbs(
    owner: str, loaded: Plugins, taken: Mapping[str, object]
) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    if owner == OWN:
        return tuple(taken), ()
    verbs, problems = loaded.load_commands(taken)
    return tuple(name for name, (_, distribution) in verbs.items() if distribution == owner), problems.get(owner, ())


def _list_hooks(owner: str, loaded: Plugins) -> Iterator[str]:
    """Yield the hooks of a package that register neither classes nor verbs nor folders."""
    registering = ("ftrun_register_", "ftrun_config_")
    modules = [plugin.module for plugin in _list_plugins(owner, loaded)]
    yield from (
        name for name in HOOKS if not name.startswith(registering) and any(hasattr(module, name) for module in modules)
    )
