"""What each installed package registers, and what is wrong with those that cannot be loaded."""

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
    """One package: names of what it registers, by kind; options that it adds to config groups; its problems."""

    distribution: str
    contents: dict[str, tuple[str, ...]]
    groups: dict[str, tuple[str, ...]]
    problems: tuple[Problem, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        problems = [problem.as_dict() for problem in self.problems]
        return {"distribution": self.distribution, **self.contents, "groups": self.groups, "problems": problems}

    def lines(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What there is, for a person; an option of a group is chosen by `GROUP=OPTION`."""
        everything = {**self.contents, **{f"{group}=": names for group, names in self.groups.items()}}
        yield from ((kind, names) for kind, names in everything.items() if names)


def list_distributions(verbs: Mapping[str, object]) -> list[DistributionInfo]:
    """All packages, ftrun itself first; `verbs` are its own."""
    loaded, problems = load_all()
    owners = dict.fromkeys([OWN, *(plugin.distribution for plugin in loaded.loaded.values()), *problems])
    found = [_listing(owner, loaded, verbs, problems.get(owner, ())) for owner in owners]
    folders = [folder for owner in owners for folder in _folders(owner, loaded)[0]]
    try:
        check_unique(folders)
    except InvalidInput as error:  # told with the last of them, after all that is fine
        found[-1] = replace(found[-1], problems=(*found[-1].problems, *error.problems))
    return found


def _listing(
    owner: str, loaded: Plugins, verbs: Mapping[str, object], problems: tuple[Problem, ...]
) -> DistributionInfo:
    contents = {
        f"{kind}s": tuple(sorted(name for name, part in loaded.of_kind(kind).items() if part.distribution == owner))
        for kind in KINDS
    }
    folders, wrong = _folders(owner, loaded)
    commands, taken = _verbs(owner, loaded, verbs)
    recipes = (name for folder in folders if folder.recipes for name in recipe_names(folder.recipes))
    contents |= {"recipes": tuple(recipes), "verbs": commands, "hooks": tuple(_hooks(owner, loaded))}
    groups = {group: names for folder in folders for group, names in _options(folder)}
    shown = f"{OWN} {__version__}" if owner == OWN else owner
    return DistributionInfo(shown, contents, groups, (*problems, *wrong, *taken))


def _of(owner: str, loaded: Plugins) -> list[Plugin]:
    return [plugin for plugin in loaded.loaded.values() if plugin.distribution == owner]


def _folders(owner: str, loaded: Plugins) -> tuple[list[ConfigFolders], tuple[Problem, ...]]:
    if owner == OWN:
        return [own_folders()], ()
    try:
        return loaded.folders_of(*_of(owner, loaded)), ()
    except InvalidInput as error:
        return [], error.problems


def _options(folder: ConfigFolders) -> Iterator[tuple[str, tuple[str, ...]]]:
    if folder.conf:
        groups = sorted(path.name for path in folder.conf.iterdir() if path.is_dir())
        yield from ((group, tuple(options_of(folder, group))) for group in groups)


def _verbs(owner: str, loaded: Plugins, taken: Mapping[str, object]) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    if owner == OWN:
        return tuple(taken), ()
    try:
        return tuple(name for name, (_, whose) in loaded.commands(taken).items() if whose == owner), ()
    except InvalidInput as error:
        mine = tuple(problem for problem in error.problems if owner in problem.what)
        return (), mine


def _hooks(owner: str, loaded: Plugins) -> Iterator[str]:
    """Those that neither register nor offer anything."""
    offering = ("ftrun_register_", "ftrun_config_")
    modules = [plugin.module for plugin in _of(owner, loaded)]
    yield from (
        name for name in HOOKS if not name.startswith(offering) and any(hasattr(module, name) for module in modules)
    )
