"""Loads plugins and keeps what they register, by kind and name, with the distribution that each came from."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from ftrun import hookspecs
from ftrun.errors import Problem, Refused
from ftrun.recipe.folders import ConfigFolders, own_folders
from ftrun.suggest import nearest

GROUP = "ftrun"
# In containers, which have the plugins as source and not as installed distributions: their modules.
SHIPPED = "FTRUN_PLUGINS"
KINDS = ("source", "formatter", "stage", "evaluator", "backend", "setting")
DEFAULT_PLUGINS = (
    "ftrun_plugins.sources.plugin",
    "ftrun_plugins.formatters.plugin",
    "ftrun_plugins.fetch.plugin",
    "ftrun_plugins.formatting.plugin",
    "ftrun_plugins.axolotl.plugin",
    "ftrun_plugins.evaluators.plugin",
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


class Plugins:
    """All that is registered. Use `plugins()` for the one of this process."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager("ftrun")
        self.manager.add_hookspecs(hookspecs)
        self._registered: dict[tuple[str, str], Registered] = {}

    @property
    def hook(self) -> Any:
        return self.manager.hook

    def load(self, module: Any, name: str, distribution: str) -> None:
        """Registers one plugin module and everything that it offers.

        Raises:
            Refused: where a hook's signature is wrong or a name is taken.
        """
        try:
            self.manager.register(module, name)
        except pluggy.PluginValidationError as error:
            raise Refused(
                Problem(
                    f"the plugin `{name}` of {distribution} has a wrong hook: {_short(error)}",
                    do=f"update or uninstall {distribution}",
                )
            ) from error
        for kind in KINDS:
            offer = getattr(module, f"ftrun_register_{kind}s", None)
            if offer is not None:
                offer(register=self._register_for(kind, distribution))

    def _register_for(self, kind: str, distribution: str) -> Callable[[type[Any]], None]:
        def register(cls: type[Any]) -> None:
            new = Registered(kind, cls.name, cls, distribution)
            old = self._registered.setdefault((kind, new.name), new)
            if old is not new:
                raise Refused(
                    Problem(
                        f"two packages register the {kind} `{new.name}`: {old.distribution} and {distribution}",
                        do="uninstall one of them",
                    )
                )

        return register

    def all(self) -> list[Registered]:
        return list(self._registered.values())

    def of_kind(self, kind: str) -> dict[str, Registered]:
        return {name: found for (its_kind, name), found in self._registered.items() if its_kind == kind}

    def get(self, kind: str, name: str) -> Registered:
        """What is registered under a name. Raises `Refused` with the nearest names."""
        try:
            return self._registered[kind, name]
        except KeyError:
            known = sorted(self.of_kind(kind))
            raise Refused(
                Problem(
                    f"there is no {kind} named `{name}`",
                    expected=f"one of {', '.join(known)}",
                    nearest=nearest(name, known),
                )
            ) from None

    def config_folders(self) -> list[ConfigFolders]:
        return [own_folders(), *self.hook.ftrun_config_sources()]


@cache
def plugins() -> Plugins:
    """The plugins of this process: ftrun's own, then those of installed packages, sorted by name."""
    loaded = Plugins()
    for name in DEFAULT_PLUGINS:
        loaded.load(importlib.import_module(name), name, "ftrun")
    if not os.environ.get("FTRUN_DISABLE_PLUGINS"):
        for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
            loaded.load(_imported(entry), entry.name, _distribution(entry))
        _load_shipped(loaded)
    return loaded


@cache
def shipped_plugins() -> Plugins:
    """In a container, those of other packages alone: their hooks are all that a scheduler there calls."""
    loaded = Plugins()
    _load_shipped(loaded)
    return loaded


def _load_shipped(loaded: Plugins) -> None:
    for module in filter(None, os.environ.get(SHIPPED, "").split(",")):
        loaded.load(importlib.import_module(module), module, module)


def _imported(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:  # whatever a foreign module raises while it is imported, it must be named
        owner, reason = _distribution(entry), f"{type(error).__name__}: {_short(error)}"
        what = f"the plugin `{entry.name}` of {owner} cannot be imported: {reason}"
        raise Refused(Problem(what, do=f"mend or uninstall {owner}, or set FTRUN_DISABLE_PLUGINS=1")) from error


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def _short(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
