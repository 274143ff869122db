"""Options of a part as they enter a key: contents count, places do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from ftrun.api.sources import InputFile


def normalize(options: BaseModel, externals: Sequence[InputFile] = ()) -> dict[str, Any]:
    """Options as JSON, with names in place of paths and of the addresses of what they name outside."""
    names = {external.url: f"https://{quote(external.name)}" for external in externals if external.url}
    values = to_jsonable_python(_without_places(options.model_dump(), names))
    assert isinstance(values, dict)
    return values


def _without_places(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, Mapping):
        return {key: _without_places(inner, names) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_places(inner, names) for inner in value]
    return value
