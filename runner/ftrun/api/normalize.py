"""Normalize the options of a component for a key. The content of a file is part of a key, its location is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from ftrun.api.sources import InputFile

__all__ = ["normalize"]


def normalize(options: BaseModel, externals: Sequence[InputFile] = ()) -> dict[str, Any]:
    """Return the options as JSON values, with file names in place of paths and of the URLs of input files."""
    names = {external.url: f"https://{quote(external.name)}" for external in externals if external.url}
    values = to_jsonable_python(_replace_locations(options.model_dump(), names))
    assert isinstance(values, dict)
    return values


def _replace_locations(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, Mapping):
        return {key: _replace_locations(inner, names) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_replace_locations(inner, names) for inner in value]
    return value
