"""Options of ftrun's config groups, by name."""

from __future__ import annotations

from functools import cache
from typing import Any

from omegaconf import OmegaConf

from ftrun.plugins.manager import plugins


@cache
def read_options(group: str) -> dict[str, dict[str, Any]]:
    """Return the content of each option of a group that ftrun itself has."""
    conf = plugins().config_folders()[0].conf
    assert conf is not None
    contents = {file.stem: OmegaConf.to_container(OmegaConf.load(file)) for file in (conf / group).glob("*.yaml")}
    return {name: _with_names(content) for name, content in sorted(contents.items())}


def _with_names(content: Any) -> dict[str, Any]:
    return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}
