"""Plugin manager: loads plugins and keeps their registrations by kind and name, with the distribution of each."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy

from ftrun.api import hookspecs
from ftrun.api.config_dirs import ConfigFolders, own_folders
from ftrun.api.errors import FtrunError, InvalidInput, Problem
from ftrun.plugins.builtin import BUILTIN_PLUGINS
from ftrun.plugins.entry_points import distribution, enabled, find_place, load_entry_point, remedy
from ftrun.plugins.validation import find_fault, find_wrong_hooks
from ftrun.utils.suggest import nearest
from ftrun.utils.text import first_line

if TYPE_CHECKING:
    import click

    from ftrun.api.commands import LazyCommand
    from ftrun.api.issues import Issue
    from ftrun.api.recipe import Recipe
    from ftrun.api.trainers import Trainer, TrainerConfig

OWN = "ftrun"  # stands for the distribution of plugins that are part of ftrun
# Variable with the modules of plugins in a container, which has their source but not their distributions.
SHIPPED = "FTRUN_PLUGINS"
KINDS = ("source", "formatter", "trainer", "stage", "evaluator", "backend", "setting")


@dataclass(frozen=True)
class Registered:
    """A class that a plugin registered, and the distribution of the plugin."""

    kind: str
    name: str
    cls: type[Any]
    distribution: str

    @property
    def implementation(self) -> str:
        """`module:Class`, by which a stage process in another environment finds the class."""
        return f"{self.cls.__module__}:{self.cls.__qualname__}"


@dataclass(frozen=True)
class Plugin:
    """The module of a plugin, with the name of its entry point and its distribution."""

    name: str
    module: ModuleType
    distribution: str

    def __str__(self) -> str:
        return f"the plugin `{self.name}` of {self.distribution}"

    @property
    def remedy(self) -> str:
        return remedy(self.distribution.partition(" ")[0])

    def describe_failure(self, error: BaseException, context: str) -> Problem:
        """Return the problem that this plugin failed in `context`, such as the name of a hook."""
        reason = f"{type(error).__name__}: {first_line(error)}"
        at = find_place(error, self.module.__name__)
        return Problem("plugin-error", f"{self} failed in {context}: {reason}", at, hint=self.remedy)


class Plugins:
    """Registry of everything that plugins register. `plugins()` returns the registry of this process."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager("ftrun")
        self.manager.add_hookspecs(hookspecs)
        self.loaded: dict[ModuleType, Plugin] = {}
        self._registered: dict[tuple[str, str], Registered] = {}
        self._trainer_config: tuple[Recipe, TrainerConfig] | None = None

    @property
    def hook(self) -> Any:
        return self.manager.hook

    def load(self, module: ModuleType, name: str, distribution: str) -> None:
        """Register a plugin module and all classes that its hooks register.

        Raises:
            InvalidInput: If a hook is unknown or has a wrong signature, or if a registered class is invalid or its name
                is taken. The problem names the distribution.
        """
        plugin = Plugin(name, module, distribution)
        if problems := list(find_wrong_hooks(module, str(plugin), plugin.remedy)):
            raise InvalidInput(problems)
        if module in self.loaded:
            raise InvalidInput(
                Problem("plugin-error", f"{plugin} is the same module as {self.loaded[module]}", hint=plugin.remedy)
            )
        self.manager.register(module, f"{distribution}: {name}")
        self.loaded[module] = plugin
        for kind in KINDS:
            hook = getattr(module, f"ftrun_register_{kind}s", None)
            if hook is None:
                continue
            try:
                hook(register=self._make_register(kind, plugin))
            except FtrunError:
                raise
            except Exception as error:  # a plugin may raise anything, and must be named in the error
                raise InvalidInput(plugin.describe_failure(error, f"ftrun_register_{kind}s")) from error

    def _make_register(self, kind: str, plugin: Plugin) -> Callable[[type[Any]], None]:
        def register(cls: type[Any]) -> None:
            if fault := find_fault(kind, cls):
                what = f"the {kind} `{getattr(cls, '__name__', str(cls)[:60])}` of {plugin.distribution} {fault}"
                raise InvalidInput(
                    Problem(
                        "plugin-error",
                        what,
                        f"`ftrun_register_{kind}s` of {plugin.module.__name__}",
                        hint=plugin.remedy,
                    )
                )
            new = Registered(kind, cls.name, cls, plugin.distribution)
            old = self._registered.setdefault((kind, new.name), new)
            if old.cls is not cls:
                raise InvalidInput(
                    _describe_conflict(f"the {kind} `{new.name}`", old.distribution, plugin.distribution)
                )

        return register

    def all(self) -> list[Registered]:
        return list(self._registered.values())

    def of_kind(self, kind: str) -> dict[str, Registered]:
        return {name: registered for (key_kind, name), registered in self._registered.items() if key_kind == kind}

    def get(self, kind: str, name: str) -> Registered:
        """Return what is registered under a name.

        Raises:
            InvalidInput: If nothing is registered under it; the problem suggests the nearest names.
        """
        try:
            return self._registered[kind, name]
        except KeyError:
            known = sorted(self.of_kind(kind))
            raise InvalidInput(
                Problem(
                    "unknown-name",
                    f"there is no {kind} named `{name}`",
                    expected=f"one of {', '.join(known)}",
                    did_you_mean=nearest(name, known),
                )
            ) from None

    def trainer(self, recipe: Recipe) -> Trainer:
        """Return the trainer of a recipe.

        Raises:
            InvalidInput: If no trainer has the name in the recipe.
        """
        trainer: Trainer = self.get("trainer", recipe.trainer).cls()
        return trainer

    def trainer_config(self, recipe: Recipe) -> TrainerConfig:
        """Return the trainer configuration of a recipe, with the changes of `ftrun_amend_trainer_config`.

        The configuration of the last recipe is cached.
        """
        if self._trainer_config is None or self._trainer_config[0] is not recipe:
            config = self.trainer(recipe).build_config(recipe)
            self.hook.ftrun_amend_trainer_config(recipe=recipe, config=config.values)
            self._trainer_config = (recipe, config)
        return self._trainer_config[1]

    def check(self, recipe: Recipe) -> Iterator[Issue]:
        """Yield the issues that plugins find in a recipe."""
        config = self.trainer_config(recipe)
        if recipe.model.template and not config.template:
            what = f"the trainer `{recipe.trainer}` cannot set variables of the chat template"
            yield Issue("unsupported-key", ("model", "template"), what, hint="remove `model.template`")
        results = self.hook.ftrun_check_recipe(recipe=recipe, trainer=self.trainer(recipe), trainer_config=config)
        for issues in results:
            yield from issues

    def config_folders(self) -> list[ConfigFolders]:
        """Return the config folders of ftrun, then those of each plugin under the name of its distribution.

        Raises:
            InvalidInput: If the folders of a plugin cannot be used.
        """
        return [own_folders(), *self.folders_of(*self.loaded.values())]

    def folders_of(self, *selected: Plugin) -> list[ConfigFolders]:
        """Return the config folders of some plugins. Raises `InvalidInput` if they cannot be used."""
        hooks = self.implementations("ftrun_config_sources")
        return [_load_folders(plugin, hook) for plugin, hook in hooks if plugin in selected]

    def commands(self, taken: Mapping[str, object]) -> dict[str, tuple[click.Command | LazyCommand, str]]:
        """Return the verbs that plugins add, with their distributions.

        Raises:
            InvalidInput: If a plugin fails or the name of a verb is taken.
        """
        verbs, problems = self.load_commands(taken)
        if problems:
            raise InvalidInput([problem for group in problems.values() for problem in group])
        return verbs

    def load_commands(
        self, taken: Mapping[str, object]
    ) -> tuple[dict[str, tuple[click.Command | LazyCommand, str]], dict[str, tuple[Problem, ...]]]:
        """Return the verbs that plugins add, with their distributions, and the problems of others by distribution."""
        verbs: dict[str, tuple[click.Command | LazyCommand, str]] = {}
        problems = dict[str, tuple[Problem, ...]]()
        for plugin, hook in self.implementations("ftrun_register_commands"):
            if plugin.distribution == OWN:
                continue  # `ftrun.cli.commands` lists them without loading all plugins
            new: list[click.Command | LazyCommand] = []
            found: list[Problem] = []
            try:
                _call_hook(plugin, "ftrun_register_commands", hook, register=new.append)
            except FtrunError as error:
                found += error.problems
            for command in new:
                name = str(command.name)
                owner = OWN if name in taken else verbs[name][1] if name in verbs else None
                if owner:
                    found.append(_describe_conflict(f"the verb `{name}`", owner, plugin.distribution))
                else:
                    verbs[name] = (command, plugin.distribution)
            if found:
                problems[plugin.distribution] = (*problems.get(plugin.distribution, ()), *found)
        return verbs, problems

    def emit(self, hook: str, **values: Any) -> list[Problem]:
        """Call `hook` of each plugin and return the failures.

        A plugin that raises is unregistered, and the run continues.
        """
        problems = []
        for plugin, implementation in self.implementations(hook):
            try:
                implementation(**values)
            except Exception as error:  # a plugin that only watches a run must not end it
                self.manager.unregister(plugin.module)
                problems.append(plugin.describe_failure(error, f"{hook} and is disabled for the rest of this run"))
        return problems

    def blame_plugin(self, error: BaseException) -> Problem | None:
        """Return the failure of the plugin of another package that an unexpected error came through.

        Returns the innermost of several plugins, and None if there is none.
        """
        others = [plugin for plugin in self.loaded.values() if plugin.distribution != OWN]
        tops = {plugin.module.__name__.partition(".")[0]: plugin for plugin in others}
        problem, traceback = None, error.__traceback__
        while traceback is not None:
            top = str(traceback.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
            if top in tops:
                problem = tops[top].describe_failure(error, f"`{traceback.tb_frame.f_code.co_name}`")
            traceback = traceback.tb_next
        return problem

    def implementations(self, hook: str) -> Iterator[tuple[Plugin, Callable[..., Any]]]:
        """Yield each plugin with its implementation of a hook.

        The implementation accepts all arguments of the hook, even those that the plugin does not use.
        """
        for implementation in getattr(self.hook, hook).get_hookimpls():
            yield self.loaded[implementation.plugin], _filter_arguments(implementation)


def _load_folders(plugin: Plugin, hook: Callable[..., Any]) -> ConfigFolders:
    folders = _call_hook(plugin, "ftrun_config_sources", hook)
    if not isinstance(folders, ConfigFolders):
        what = f"`ftrun_config_sources` of {plugin.distribution} returns {type(folders).__name__}"
        raise InvalidInput(
            Problem(
                "plugin-error", what, expected="an instance of ftrun.api.config_dirs.ConfigFolders", hint=plugin.remedy
            )
        )
    for folder in (folders.conf, folders.recipes):
        if folder is not None and not folder.is_dir():
            what = f"{plugin.distribution} names a folder that does not exist"
            raise InvalidInput(
                Problem("plugin-error", what, str(folder), hint=f"its package lacks data files: {plugin.remedy}")
            )
    return replace(folders, provider=plugin.distribution)


def _filter_arguments(implementation: pluggy.HookImpl) -> Callable[..., Any]:
    def call(**values: Any) -> Any:
        return implementation.function(**{name: values[name] for name in implementation.argnames})

    return call


def _call_hook(plugin: Plugin, name: str, hook: Callable[..., Any], **values: Any) -> Any:
    """Call a hook and return its result.

    Raises:
        InvalidInput: If the hook raises anything; the problem names the plugin.
    """
    try:
        return hook(**values)
    except FtrunError:
        raise
    except Exception as error:  # a plugin may raise anything
        raise InvalidInput(plugin.describe_failure(error, name)) from error


def _describe_conflict(what: str, old: str, new: str) -> Problem:
    if old == new:
        return Problem("name-conflict", f"{new} registers {what} twice", hint="rename one of them")
    return Problem(
        "name-conflict", f"two packages register {what}: {old} and {new}", hint=f"uninstall {new.partition(' ')[0]}"
    )


@cache
def plugins() -> Plugins:
    """Return the plugins of this process: ftrun's own, then those of installed packages, sorted by name.

    Raises:
        InvalidInput: If a plugin cannot be loaded, with the problems of all plugins.
    """
    loaded, problems = load_all()
    if problems:
        raise InvalidInput([problem for group in problems.values() for problem in group])
    return loaded


def load_all() -> tuple[Plugins, dict[str, tuple[Problem, ...]]]:
    """Return all plugins that can be loaded, and the problems of the others by distribution."""
    loaded, problems = Plugins(), dict[str, tuple[Problem, ...]]()
    for name in BUILTIN_PLUGINS:
        loaded.load(importlib.import_module(name), name, OWN)
    for entry in enabled():
        owner = distribution(entry)
        try:
            loaded.load(load_entry_point(entry), entry.name, owner)
        except FtrunError as error:
            problems[owner] = (*problems.get(owner, ()), *error.problems)
    _load_shipped_plugins(loaded)
    return loaded, problems


@cache
def shipped_plugins() -> Plugins:
    """Return the plugins of other packages in a container. A scheduler in a container calls only their hooks."""
    loaded = Plugins()
    _load_shipped_plugins(loaded)
    return loaded


def _load_shipped_plugins(loaded: Plugins) -> None:
    for module in filter(None, os.environ.get(SHIPPED, "").split(",")):
        loaded.load(importlib.import_module(module), module, module)
