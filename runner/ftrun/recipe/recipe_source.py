"""Hydra config source that makes `recipe` a config group, from flat folders of recipes. Its scheme is `recipe://`."""

from __future__ import annotations

from pathlib import Path

from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from omegaconf import OmegaConf
from yaml import MarkedYAMLError

from ftrun.api.errors import InvalidInput
from ftrun.recipe.defaults_list import check_recipe
from ftrun.recipe.yaml_files import read_text, syntax_problem

GROUP = "recipe"


class RecipeSource(ConfigSource):
    """Folder of recipes, or single recipe file, as the config group `recipe`. Hydra defines the argument names."""

    @staticmethod
    def scheme() -> str:
        """Return the scheme of the source."""
        return "recipe"

    def find(self, config_path: str) -> Path | None:
        """Return the file or folder for a path in the config group, or None for another path."""
        group, _, name = config_path.strip("/").partition("/")
        root = Path(self.path)
        if group != GROUP:
            return None
        if root.is_file():
            return root if name.removesuffix(".yaml") == root.stem else None
        return root / name if name else root

    def load_config(self, config_path: str) -> ConfigResult:
        """Load a recipe file.

        Raises:
            ConfigLoadError: If the file does not exist.
            InvalidInput: If the file is not a recipe.
        """
        file = self.find(self._normalize_file_name(config_path))
        if file is None or not file.is_file():
            raise ConfigLoadError(f"Config not found: {config_path}")
        text = read_text(file)
        check_recipe(text, file)
        header = self._get_header_dict(text)
        header.setdefault("package", None)
        header["package"] = header["package"] or "_global_"  # so that recipes need no `# @package` line
        try:
            config = OmegaConf.create(text)
        except MarkedYAMLError as error:  # only OmegaConf checks for duplicate keys and unknown tags
            raise InvalidInput(syntax_problem(error, file)) from None
        return ConfigResult(config=config, path=self.path, provider=self.provider, header=header)

    def available(self) -> bool:
        """Return True if the folder or file exists."""
        return Path(self.path).exists()

    def is_group(self, config_path: str) -> bool:
        """Return True if the path is the root or a folder of recipes."""
        folder = self.find(config_path)
        return config_path.strip("/") == "" or (folder is not None and folder.is_dir())

    def is_config(self, config_path: str) -> bool:
        """Return True if the path is a recipe file."""
        file = self.find(self._normalize_file_name(config_path))
        return file is not None and file.is_file()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Return the names of the groups and recipes at a path."""
        if config_path.strip("/") == "":
            return [GROUP] if results_filter in (None, ObjectType.GROUP) else []
        folder = self.find(config_path)
        if folder is None or not folder.is_dir():
            return [Path(self.path).stem] if Path(self.path).is_file() and config_path.strip("/") == GROUP else []
        files: list[str] = []
        for entry in sorted(folder.iterdir()):
            self._list_add_result(
                files=files,
                file_path=f"{config_path.strip('/')}/{entry.name}",
                file_name=entry.name,
                results_filter=results_filter,
            )
        return sorted(set(files))
