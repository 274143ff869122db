"""Places of LLaMA-Factory's datasets, as sources: files beside `dataset_info.json`, and datasets on the hub."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftrun_plugins.importing.llama_factory.dataset_info import Info
from ftrun_plugins.importing.llama_factory.settings import Settings
from ftrun_plugins.importing.row_files import SUBSET_NOTE, SUFFIXES, has_lines

OTHERS = {
    "ms_hub_url": ("is on ModelScope", "download it, and name its files with `file_name`"),
    "om_hub_url": ("is on Modelers", "download it, and name its files with `file_name`"),
    "script_url": ("is made by a script", "run the script, and write its rows into a file"),
    "cloud_file_name": ("is in cloud storage", "copy the file, and name it with `file_name`"),
}
Source = dict[str, Any]


def read_source(name: str, key: str, described: Mapping[str, Any], info: Info, settings: Settings) -> Source | None:
    """Return the source of a dataset. Record a dataset without a way in."""
    if repo := described.get("hf_hub_url"):
        if described.get("subset") and not described.get("folder"):
            settings.record.check((key,), "dataset", f"`subset` of `{name}`: {SUBSET_NOTE}")
        return _read_hub(str(repo), described)
    for kind, (what, hint) in OTHERS.items():
        if kind in described:
            settings.record.refuse((key,), f"the dataset `{name}` {what}, which ftrun does not read", hint)
            return None
    file_name = described.get("file_name")
    if not isinstance(file_name, str) or not file_name:
        settings.record.refuse((key,), f"the dataset `{name}` has no place", "describe it with file_name or hf_hub_url")
        return None
    if info.repo:
        return {"name": "hub", "repo": info.repo, "files": [file_name]}
    return _read_file(name, key, file_name, info, settings)


def _read_hub(repo: str, described: Mapping[str, Any]) -> Source:
    source: Source = {"name": "hub", "repo": repo}
    if folder := described.get("folder"):
        return {**source, "files": [f"{str(folder).strip('/')}/*"]}
    if subset := described.get("subset"):
        source["subset"] = subset
    return {**source, "split": described.get("split") or "train"}


def _read_file(name: str, key: str, file_name: str, info: Info, settings: Settings) -> Source | None:
    place = (info.folder or Path.cwd()) / file_name
    sample = next((file for file in sorted(place.iterdir()) if file.is_file()), place) if place.is_dir() else place
    source = SUFFIXES.get(sample.suffix)
    if source is None:
        what = f"the dataset `{name}` is `{file_name[:80]}`, whose format ftrun does not read"
        settings.record.refuse((key,), what, f"convert it to one of {', '.join(SUFFIXES)}")
        return None
    if not place.exists():
        reason = f"the file of `{name}` is not here: {place}"
        settings.record.check((key,), "dataset", reason)
    elif source == "json" and has_lines(sample):
        source = "jsonl"
    return {"name": source, "path": settings.record.context.relative_to_recipe(place)}
