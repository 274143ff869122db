"""Makes `recipe=NAME` an ordinary Hydra group over flat folders of recipes, scheme `recipe://`."""

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
    """A folder of recipes, or a single recipe file, as the group `recipe`. Argument names are Hydra's."""

    @staticmethod
    def scheme() -> str:
        return "recipe"

    def find(self, config_path: str) -> Path | None:
        """The file or folder behind a path inside the group; None outside it."""
        group, _, inside = config_path.strip("/").partition("/")
        root = Path(self.path)
        if group != GROUP:
            return None
        if root.is_file():
            return root if inside.removesuffix(".yaml") == root.stem else None
        return root / inside if inside else root

    def load_config(self, config_path: str) -> ConfigResult:
        found = self.find(self._normalize_file_name(config_path))
        if found is None or not found.is_file():
            raise ConfigLoadError(f"Config not found: {config_path}")
        text = read_text(found)
        check_recipe(text, found)
        header = self._get_header_dict(text)
        header.setdefault("package", None)
        header["package"] = header["package"] or "_global_"  # so that recipes need no `# @package` line
        try:
            config = OmegaConf.create(text)
        except MarkedYAMLError as error:  # duplicate keys and foreign tags, which only OmegaConf looks for
            raise InvalidInput(syntax_problem(error, found)) from None
        return ConfigResult(config=config, path=self.path, provider=self.provider, header=header)

    def available(self) -> bool:
        return Path(self.path).exists()

    def is_group(self, config_path: str) -> bool:
        found = self.find(config_path)
        return config_path.strip("/") == "" or (found is not None and found.is_dir())

    def is_config(self, config_path: str) -> bool:
        found = self.find(self._normalize_file_name(config_path))
        return found is not None and found.is_file()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        if config_path.strip("/") == "":
            return [GROUP] if results_filter in (None, ObjectType.GROUP) else []
        found = self.find(config_path)
        if found is None or not found.is_dir():
            return [Path(self.path).stem] if Path(self.path).is_file() and config_path.strip("/") == GROUP else []
        files: list[str] = []
        for entry in sorted(found.iterdir()):
            self._list_add_result(
                files=files,
                file_path=f"{config_path.strip('/')}/{entry.name}",
                file_name=entry.name,
                results_filter=results_filter,
            )
        return sorted(set(files))
