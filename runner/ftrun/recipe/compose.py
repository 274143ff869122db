"""Composition of a recipe with Hydra into plain values and the origin of each value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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
from ftrun.api.issues import KeyPath
from ftrun.recipe.config_loader import RecordingLoader, config_file
from ftrun.recipe.hydra_errors import translate_error
from ftrun.recipe.layers import GROUPS, Layer, find_nearest_origin, find_origin, is_choice
from ftrun.recipe.overrides import Overrides, has, key_of, path_of, prepare
from ftrun.recipe.recipe_source import RecipeSource
from ftrun.recipe.yaml_files import Position

VERSION_BASE = "1.3"
# Errors that Hydra raises for a wrong recipe. It raises ValueError for a group override that is not a name.
COMPOSITION_ERRORS = (HydraException, OmegaConfBaseException, YAMLError, RecursionError, ValueError)


@dataclass(frozen=True)
class Composed:
    """Composed recipe: plain values, the overrides, and the files in the order in which they were merged."""

    values: dict[str, Any]
    overrides: tuple[str, ...]
    layers: tuple[Layer, ...] = field(repr=False)

    def chosen(self, group: str) -> list[str]:
        """Return the options chosen in a config group, in order."""
        return [layer.config.removeprefix(f"{group}/") for layer in self.layers if layer.config.startswith(f"{group}/")]

    def recipe_name(self) -> str | None:
        """Return the name of the recipe, or None if there is none.

        If recipes build on each other, this is the recipe on which no other builds.
        """
        overrides = [override for override in self.overrides if key_of(override) == ("recipe",)]
        if overrides:
            value = overrides[-1].partition("=")[2]
            path = path_of(value)
            return Path(path).stem if path else value
        return next(iter(reversed(self.chosen("recipe"))), None)

    def rank(self, path: KeyPath) -> int:
        """Return the position of the last file or override that sets a key; -1 if nothing sets it.

        Overrides come after all files.
        """
        for number, override in reversed(list(enumerate(self.overrides, len(self.layers)))):
            key = key_of(override)
            is_below = tuple(map(str, path[: len(key)])) == key and not is_choice(key)
            if is_below and has(override, path[len(key) :]):
                return number
        ranks = [number for number, layer in enumerate(self.layers) if path in layer.positions]
        return ranks[-1] if ranks else -1

    def origin(self, path: KeyPath) -> Position | str | None:
        """Return the override or file position that set a key, or its nearest parent if nothing set the key itself."""
        return find_nearest_origin(path, self.overrides, self.layers)

    def exact(self, path: KeyPath) -> Position | str | None:
        """Return the override or file position that set this key, or None if nothing did."""
        return find_origin(path, self.overrides, self.layers)


@contextmanager
def search_path(folders: Sequence[ConfigFolders], recipe_file: Path | None = None) -> Iterator[None]:
    """Register the `recipe://` source and the folders of every provider as plugins of Hydra."""
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
        # Hydra cannot unregister a plugin, and a second composition must not read the folders of the first.
        plugins.class_name_to_class.pop(f"{Folders.__module__}.{Folders.__qualname__}", None)
        plugins.plugin_type_to_subclass_list[SearchPathPlugin].remove(Folders)


def compose(given: Sequence[str], folders: Sequence[ConfigFolders]) -> Composed:
    """Compose the recipe that the overrides select.

    Raises:
        InvalidInput: If a recipe, group, option or key is unknown, a file is not YAML, or an interpolation has no
            target.
    """
    overrides = prepare(given, GROUPS)
    # Environment variables can hold secrets, and the composed values are written to the run record.
    OmegaConf.clear_resolver("oc.env")
    with (
        search_path(folders, overrides.recipe_file),
        initialize_config_dir(version_base=VERSION_BASE, config_dir=str(folders[0].conf)),
    ):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        loader = RecordingLoader(hydra.config_loader.get_search_path())
        hydra.config_loader = loader
        try:
            return _compose_with_hydra(overrides, loader)
        except COMPOSITION_ERRORS as error:
            layers = tuple(_layers(loader, list(overrides.hydra))) if loader.has_merged else ()
            raise translate_error(error, overrides, folders, layers) from error


def _compose_with_hydra(overrides: Overrides, loader: RecordingLoader) -> Composed:
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
