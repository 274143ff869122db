"""Hydra's config loader with a cache of parsed files and a record of the defaults list."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.default_element import ResultDefault
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.types import RunMode
from omegaconf import DictConfig

from ftrun.recipe.recipe_source import RecipeSource
from ftrun.recipe.yaml_files import FileState, file_state

MOST_PARSED = 1024  # configs; the shipped recipes and groups are about 100
MOST_HYDRA_CONFIGS = 8
MERGED = ResultDefault(config_path="hydra/merged")  # stands for Hydra's own configs

_hydra_configs: dict[tuple[object, ...], DictConfig] = {}
_parsed: dict[tuple[str, str, str, str, FileState | None], ConfigResult | None] = {}


class CachedRepository(ConfigRepository):
    """Config repository that parses each config once per process, and again after its file has changed.

    One composition reads about 25 configs, nine of which belong to Hydra. Most commands and tests compose several
    recipes.
    """

    def load_config(self, config_path: str) -> ConfigResult | None:
        source = self._find_object_source(config_path=config_path, object_type=ObjectType.CONFIG)
        if source is None:
            return None
        file = config_file(source, config_path)
        key = (source.scheme(), source.provider, source.path, config_path, file_state(file) if file else None)
        if key not in _parsed:
            if len(_parsed) >= MOST_PARSED:
                _parsed.clear()
            _parsed[key] = super().load_config(config_path)
        result = copy.copy(_parsed[key])
        if result is not None:
            result.config = copy.deepcopy(result.config)  # a composition changes the configs that it merges
        return result


class RecordingLoader(ConfigLoaderImpl):
    """Config loader that records the configs of its last composition, so that they need not be computed again.

    It merges the configs of Hydra once per process, because they come first, are the same in each composition, and take
    a third of its time.
    """

    def __init__(self, config_search_path: ConfigSearchPath) -> None:
        super().__init__(config_search_path)
        self.repository = CachedRepository(config_search_path)
        self._merged: Sequence[ResultDefault] | None = None
        self._hydra_config = DictConfig({})

    @property
    def has_merged(self) -> bool:
        """True if a defaults list was computed, also if the merge of its configs failed."""
        return self._merged is not None

    def _compose_config_from_defaults_list(self, defaults: list[ResultDefault], repo: Any) -> DictConfig:
        self._merged = defaults
        own = list(takewhile(lambda default: str(default.config_path).startswith("hydra/"), defaults))
        key = tuple((default.config_path, default.package, self._state(default)) for default in own)
        if key not in _hydra_configs:
            if len(_hydra_configs) >= MOST_HYDRA_CONFIGS:
                _hydra_configs.clear()
            _hydra_configs[key] = super()._compose_config_from_defaults_list(own, repo)
        self._hydra_config = _hydra_configs[key]
        return super()._compose_config_from_defaults_list([MERGED, *defaults[len(own) :]], repo)

    def _load_single_config(self, default: ResultDefault, repo: Any) -> ConfigResult:
        if default is MERGED:
            return ConfigResult("hydra", "", copy.deepcopy(self._hydra_config), {})
        return super()._load_single_config(default, repo)

    def _state(self, default: ResultDefault) -> FileState | None:
        path = str(default.config_path)
        file = next((config_file(source, path) for source in self.get_sources() if source.is_config(path)), None)
        return file_state(file) if file else None

    def merged_configs(self, config_name: str, overrides: list[str]) -> Sequence[ResultDefault]:
        """Return the configs of the last composition, in the order in which they were merged."""
        if self._merged is None:  # this version of Hydra composes with another method
            return self.compute_defaults_list(config_name, overrides, RunMode.RUN).defaults
        return self._merged


def config_file(source: ConfigSource, config_path: str) -> Path | None:
    """Return the file of a config, or None if the source has no files."""
    name = source._normalize_file_name(config_path)
    if isinstance(source, RecipeSource):
        return source.find(name)
    return Path(source.path) / name if source.scheme() == "file" else None
