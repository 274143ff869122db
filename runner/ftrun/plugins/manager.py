"""Loads plugins and keeps what they register, by kind and name, with the distribution that each came from."""

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
from ftrun.plugins.entry_points import distribution, enabled, load_entry_point, place, remedy, short
from ftrun.plugins.validation import find_fault, find_wrong_hooks
from ftrun.utils.suggest import nearest

if TYPE_CHECKING:
    import click

OWN = "ftrun"  # in place of a distribution, for the plugins that come with it
# In containers, which have the plugins as source and not as installed distributions: their modules.
SHIPPED = "FTRUN_PLUGINS"
KINDS = ("source", "formatter", "stage", "evaluator", "backend", "setting")
DEFAULT_PLUGINS = (
    "ftrun_plugins.data.sources.plugin",
    "ftrun_plugins.data.formatters.plugin",
    "ftrun_plugins.models.plugin",
    "ftrun_plugins.data.format.plugin",
    "ftrun_plugins.axolotl.plugin",
    "ftrun_plugins.evaluation.plugin",
    "ftrun_plugins.parity.plugin",
    "ftrun_plugins.serving.plugin",
    "ftrun_plugins.local.plugin",
    "ftrun_plugins.modal.plugin",
)


@dataclass(frozen=True)
class Registered:
    """One class that a plugin registered, and whose it is."""

    kind: str
    name: str
    cls: type[Any]
    distribution: str

    @property
    def implementation(self) -> str:
        """`module:Class`, by which a stage process in another environment finds it."""
        return f"{self.cls.__module__}:{self.cls.__qualname__}"


@dataclass(frozen=True)
class Plugin:
    """A plugin's module, by the name of its entry point, and whose it is."""

    name: str
    module: ModuleType
    distribution: str

    def __str__(self) -> str:
        return f"the plugin `{self.name}` of {self.distribution}"

    @property
    def remedy(self) -> str:
        return remedy(self.distribution.partition(" ")[0])

    def failed(self, error: BaseException, what: str) -> Problem:
        reason = f"{type(error).__name__}: {short(error)}"
        return Problem(
            "plugin-error", f"{self} failed in {what}: {reason}", place(error, self.module.__name__), hint=self.remedy
        )


class Plugins:
    """All that is registered. Use `plugins()` for the one of this process."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager("ftrun")
        self.manager.add_hookspecs(hookspecs)
        self.loaded: dict[ModuleType, Plugin] = {}
        self._registered: dict[tuple[str, str], Registered] = {}

    @property
    def hook(self) -> Any:
        return self.manager.hook

    def load(self, module: ModuleType, name: str, distribution: str) -> None:
        """Registers one plugin module and everything that it offers.

        Raises:
            InvalidInput: where a hook is unknown or has a wrong signature, or what it registers is no part or has a taken
                name; always with the distribution.
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
            offer = getattr(module, f"ftrun_register_{kind}s", None)
            if offer is None:
                continue
            try:
                offer(register=self._register_for(kind, plugin))
            except FtrunError:
                raise
            except Exception as error:  # whatever foreign code raises, it must be named
                raise InvalidInput(plugin.failed(error, f"ftrun_register_{kind}s")) from error

    def _register_for(self, kind: str, plugin: Plugin) -> Callable[[type[Any]], None]:
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
                raise InvalidInput(_taken(f"the {kind} `{new.name}`", old.distribution, plugin.distribution))

        return register

    def all(self) -> list[Registered]:
        return list(self._registered.values())

    def of_kind(self, kind: str) -> dict[str, Registered]:
        return {name: found for (its_kind, name), found in self._registered.items() if its_kind == kind}

    def get(self, kind: str, name: str) -> Registered:
        """What is registered under a name. Raises `InvalidInput` with the nearest names."""
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

    def config_folders(self) -> list[ConfigFolders]:
        """The folders of ftrun itself, then those of each plugin under its distribution's name. Raises `InvalidInput`."""
        return [own_folders(), *self.folders_of(*self.loaded.values())]

    def folders_of(self, *wanted: Plugin) -> list[ConfigFolders]:
        """The folders of some plugins alone."""
        offers = self.offers("ftrun_config_sources")
        return [_folders(plugin, offer) for plugin, offer in offers if plugin in wanted]

    def commands(self, taken: Mapping[str, object]) -> dict[str, tuple[click.Command, str]]:
        """Verbs that plugins add, with their distributions. Raises `InvalidInput` where a name is taken."""
        found: dict[str, tuple[click.Command, str]] = {}
        for plugin, offer in self.offers("ftrun_register_commands"):
            new: list[click.Command] = []
            _named(plugin, "ftrun_register_commands", offer, register=new.append)
            for command in new:
                name = str(command.name)
                owner = OWN if name in taken else found[name][1] if name in found else None
                if owner:
                    raise InvalidInput(_taken(f"the verb `{name}`", owner, plugin.distribution))
                found[name] = (command, plugin.distribution)
        return found

    def tell(self, hook: str, **values: Any) -> list[Problem]:
        """Calls each plugin's `hook`. One that raises hears nothing more: what it is told of goes on without it."""
        problems = []
        for plugin, offer in self.offers(hook):
            try:
                offer(**values)
            except Exception as error:  # a run must not be lost to whoever watches it
                self.manager.unregister(plugin.module)
                problems.append(plugin.failed(error, f"{hook}, and hears no more of this run"))
        return problems

    def culprit(self, error: BaseException) -> Problem | None:
        """The plugin of another package that an unexpected error came through, the innermost of several."""
        others = [plugin for plugin in self.loaded.values() if plugin.distribution != OWN]
        tops = {plugin.module.__name__.partition(".")[0]: plugin for plugin in others}
        found, traceback = None, error.__traceback__
        while traceback is not None:
            top = str(traceback.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
            if top in tops:
                found = tops[top].failed(error, f"`{traceback.tb_frame.f_code.co_name}`")
            traceback = traceback.tb_next
        return found

    def offers(self, hook: str) -> Iterator[tuple[Plugin, Callable[..., Any]]]:
        """Each plugin's implementation of a hook, to be called with all that the hook gives."""
        for implementation in getattr(self.hook, hook).get_hookimpls():
            yield self.loaded[implementation.plugin], _with_what_it_takes(implementation)


def _folders(plugin: Plugin, offer: Callable[..., Any]) -> ConfigFolders:
    found = _named(plugin, "ftrun_config_sources", offer)
    if not isinstance(found, ConfigFolders):
        what = f"`ftrun_config_sources` of {plugin.distribution} returns {type(found).__name__}"
        raise InvalidInput(
            Problem(
                "plugin-error", what, expected="an instance of ftrun.api.config_dirs.ConfigFolders", hint=plugin.remedy
            )
        )
    for folder in (found.conf, found.recipes):
        if folder is not None and not folder.is_dir():
            what = f"{plugin.distribution} names a folder that there is not"
            raise InvalidInput(
                Problem("plugin-error", what, str(folder), hint=f"its package lacks data files: {plugin.remedy}")
            )
    return replace(found, provider=plugin.distribution)


def _with_what_it_takes(implementation: pluggy.HookImpl) -> Callable[..., Any]:
    def call(**values: Any) -> Any:
        return implementation.function(**{name: values[name] for name in implementation.argnames})

    return call


def _named(plugin: Plugin, hook: str, offer: Callable[..., Any], **values: Any) -> Any:
    """What a hook returns; what it raises is told with the plugin's name."""
    try:
        return offer(**values)
    except FtrunError:
        raise
    except Exception as error:  # whatever foreign code raises
        raise InvalidInput(plugin.failed(error, hook)) from error


def _taken(what: str, old: str, new: str) -> Problem:
    if old == new:
        return Problem("name-conflict", f"{new} registers {what} twice", hint="give one of them another name")
    return Problem(
        "name-conflict", f"two packages register {what}: {old} and {new}", hint=f"uninstall {new.partition(' ')[0]}"
    )


@cache
def plugins() -> Plugins:
    """The plugins of this process: ftrun's own, then those of installed packages, sorted by name.

    Raises:
        InvalidInput: with everything that is wrong with any of them.
    """
    loaded, problems = load_all()
    if problems:
        raise InvalidInput([problem for found in problems.values() for problem in found])
    return loaded


def load_all() -> tuple[Plugins, dict[str, tuple[Problem, ...]]]:
    """All plugins that can be loaded, and by distribution what is wrong with the others."""
    loaded, problems = Plugins(), dict[str, tuple[Problem, ...]]()
    for name in DEFAULT_PLUGINS:
        loaded.load(importlib.import_module(name), name, OWN)
    for entry in enabled():
        owner = distribution(entry)
        try:
            loaded.load(load_entry_point(entry), entry.name, owner)
        except FtrunError as error:
            problems[owner] = (*problems.get(owner, ()), *error.problems)
    _load_shipped(loaded)
    return loaded, problems


@cache
def shipped_plugins() -> Plugins:
    """In a container, those of other packages alone: their hooks are all that a scheduler there calls."""
    loaded = Plugins()
    _load_shipped(loaded)
    return loaded


def _load_shipped(loaded: Plugins) -> None:
    for module in filter(None, os.environ.get(SHIPPED, "").split(",")):
        loaded.load(importlib.import_module(module), module, module)
