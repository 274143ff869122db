"""Composes a recipe by Hydra into a plain container that still knows where each value came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from ftrun.api.config_dirs import ConfigFolders, check_unique
from ftrun.recipe.config_loader import RecordingLoader, config_file
from ftrun.recipe.hydra_errors import translate_error
from ftrun.recipe.overrides import Overrides, has, key_of, prepare
from ftrun.recipe.recipe_source import RecipeSource
from ftrun.recipe.yaml_files import KeyPath, Position, positions

GROUPS = ("model", "dataset", "optimizations", "evals", "serve", "backend", "environment", "recipe")
VERSION_BASE = "1.3"
# What Hydra raises for a wrong recipe; its own plain ValueErrors are for group overrides that are no names.
COMPOSITION_ERRORS = (HydraException, OmegaConfBaseException, YAMLError, RecursionError, ValueError)


@dataclass(frozen=True)
class Layer:
    """One file that took part in a composition, and the key path under which its content was put."""

    file: Path
    package: tuple[str, ...]
    config: str  # Hydra's path of it, such as `optimizations/lora`

    @cached_property
    def positions(self) -> dict[KeyPath, Position]:
        return {(*self.package, *path): position for path, position in positions(self.file).items()}


@dataclass(frozen=True)
class Composed:
    """A composed recipe: plain values, and where each comes from."""

    values: dict[str, Any]
    overrides: tuple[str, ...]
    layers: tuple[Layer, ...] = field(repr=False)

    def chosen(self, group: str) -> list[str]:
        """The options that were chosen in a group, in order."""
        return [layer.config.removeprefix(f"{group}/") for layer in self.layers if layer.config.startswith(f"{group}/")]

    def recipe_name(self) -> str | None:
        """The recipe that was asked for: of several layers, the one that no other recipe builds on."""
        named = [override for override in self.overrides if key_of(override) == ("recipe",)]
        if named:
            value = named[-1].partition("=")[2]
            return Path(value).stem if value.endswith((".yaml", ".yml")) else value
        return next(iter(reversed(self.chosen("recipe"))), None)

    def rank(self, path: KeyPath) -> int:
        """How late a key was set: by which file, or after all files by which override; -1 where nothing sets it."""
        for number, override in reversed(list(enumerate(self.overrides, len(self.layers)))):
            key = key_of(override)
            inside = tuple(map(str, path[: len(key)])) == key and key[0] not in _chosen_only(key)
            if inside and has(override, path[len(key) :]):
                return number
        ranks = [number for number, layer in enumerate(self.layers) if path in layer.positions]
        return ranks[-1] if ranks else -1

    def origin(self, path: KeyPath) -> Position | str | None:
        """The override or the file position that set a key; of its nearest parent where the key itself is nowhere."""
        for length in range(len(path), 0, -1):
            found = self.exact(path[:length])
            if found is not None:
                return found
        return None

    def exact(self, path: KeyPath) -> Position | str | None:
        """The override or the file position that set a key itself; None where nothing does."""
        for override in reversed(self.overrides):
            key = key_of(override)
            if tuple(map(str, path[: len(key)])) == key and key[0] not in _chosen_only(key):
                return f"override {override}"
        for layer in reversed(self.layers):
            if path in layer.positions:
                return layer.positions[path]
        # nothing sets the key itself, but an override may have made it by setting something below it
        inner = [override for override in self.overrides if key_of(override)[: len(path)] == tuple(map(str, path))]
        return f"override {inner[-1]}" if inner else None


def _chosen_only(key: tuple[str, ...]) -> tuple[str, ...]:
    """`model=x` chooses a file, so the values came from that file and not from the override."""
    return GROUPS if len(key) == 1 else ()


@contextmanager
def search_path(folders: Sequence[ConfigFolders], recipe_file: Path | None = None) -> Iterator[None]:
    """Registers the `recipe://` source and every provider's folders with Hydra, as its plugins."""
    check_unique(folders)

    class Folders(SearchPathPlugin):
        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            if recipe_file:
                search_path.prepend("named on the command line", f"recipe://{recipe_file}")
            for folder in folders:
                if folder.recipes:
                    search_path.append(folder.provider, f"recipe://{folder.recipes}")
                if folder.conf and folder.provider != "ftrun":
                    search_path.append(folder.provider, f"file://{folder.conf}")

    plugins = Plugins.instance()
    plugins.register(RecipeSource)
    plugins.register(Folders)
    try:
        yield
    finally:
        # Hydra has no way to take a plugin back, and a second composition must not see the first one's folders
        plugins.class_name_to_class.pop(f"{Folders.__module__}.{Folders.__qualname__}", None)
        plugins.plugin_type_to_subclass_list[SearchPathPlugin].remove(Folders)


def compose(given: Sequence[str], folders: Sequence[ConfigFolders]) -> Composed:
    """Composes the recipe that the overrides ask for.

    Raises:
        InvalidInput: an unknown recipe, group, option or key, a YAML error, an interpolation that leads nowhere.
    """
    overrides = prepare(given, GROUPS)
    # an environment variable could be a secret, and what is composed is written into the run's record
    OmegaConf.clear_resolver("oc.env")
    try:
        with (
            search_path(folders, overrides.recipe_file),
            initialize_config_dir(version_base=VERSION_BASE, config_dir=str(folders[0].conf)),
        ):
            return _composed(overrides)
    except COMPOSITION_ERRORS as error:
        raise translate_error(error, overrides, folders) from error


def _composed(overrides: Overrides) -> Composed:
    hydra = GlobalHydra.instance().hydra
    assert hydra is not None
    loader = RecordingLoader(hydra.config_loader.get_search_path())
    hydra.config_loader = loader
    config = hydra_compose("config", list(overrides.hydra))
    values = OmegaConf.to_container(config, resolve=True)
    assert isinstance(values, dict)
    return Composed(
        {str(key): value for key, value in values.items()},
        overrides.given,
        tuple(_layers(loader, list(overrides.hydra))),
    )


def _layers(loader: RecordingLoader, overrides: list[str]) -> Iterator[Layer]:
    for default in loader.merged_configs("config", overrides):
        path, package = default.config_path, default.package or ""
        if path is None or package.split(".")[0] == "hydra":
            continue
        source = next((source for source in loader.get_sources() if source.is_config(path)), None)
        file = config_file(source, path) if source else None
        if file is not None:
            yield Layer(file, tuple(package.split(".")) if package else (), path)
