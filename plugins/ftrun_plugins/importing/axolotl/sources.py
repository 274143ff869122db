"""Places of axolotl's datasets, as sources: files and folders of this machine, and datasets on the hub."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftrun.api.issues import KeyPath
from ftrun_plugins.data.sources.open_data import unpacked_name
from ftrun_plugins.data.sources.split_slice import SPLIT
from ftrun_plugins.importing.draft import Recorder
from ftrun_plugins.importing.row_files import SUBSET_NOTE, SUFFIXES, has_lines

HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
LOADERS = {"json": "json", "csv": "csv", "parquet": "parquet", "text": "text"}  # formats by axolotl's name
SAVED = ("dataset_info.json", "dataset_dict.json", "state.json")  # files that `save_to_disk` writes
Source = dict[str, Any]


def read_source(entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str) -> Source | None:
    """Return the source of a dataset, or None if there is none."""
    place, where = entry.get("path"), (*path, "path")
    files = entry.get("data_files")
    if not isinstance(place, str) or not place:
        record.refuse(where, "the dataset has no `path`", "name a file, a folder or a dataset of the hub")
        return None
    if entry.get("trust_remote_code"):
        reason = "ftrun reads the files of a dataset and runs no code of it"
        record.refuse((*path, "trust_remote_code"), reason, "convert the dataset to Parquet files")
    if "://" in place:
        _refuse_url(place, where, record)
        return None
    found = record.context.find(place)
    if place in LOADERS and files and found is None:
        return _read_file(
            str(files[0] if isinstance(files, list) else files), {**entry, "ds_type": place}, path, record, target
        )
    if (found and found.is_file()) or (found is None and _is_file_name(place)):
        return _read_file(place, entry, path, record, target)
    if found is not None:
        return _read_folder(found, place, entry, path, record, target)
    if not HUB_NAME.fullmatch(place):
        record.refuse(
            where, f"`{place}` is neither a file here nor the name of a dataset of the hub", "correct the path"
        )
        return None
    return _read_hub(place, entry, path, record, target)


def _refuse_url(place: str, where: KeyPath, record: Recorder) -> None:
    if place.startswith("https://"):
        reason = "ftrun reads a URL only with the digest of its content, which the file does not have"
        hint = "download the file and name it as `path`, or use dataset.source.name=url with a sha256"
    else:
        reason, hint = "ftrun does not read this storage", "download the files and name their folder as `path`"
    record.refuse(where, f"`path` is `{place[:80]}`, but {reason}", hint)


def _is_file_name(place: str) -> bool:
    return place.startswith((".", "/", "~")) or Path(unpacked_name(place)).suffix in SUFFIXES


def _read_file(place: str, entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str) -> Source | None:
    found = record.context.find(place)
    name = _format_of(place, found, entry.get("ds_type"))
    if name is None:
        what = entry.get("ds_type") or Path(place).suffix or "no known format"
        record.refuse(
            (*path, "path"),
            f"`{place}` has the format {what}, which ftrun does not read",
            "convert it to JSON Lines or Parquet",
        )
        return None
    _check_split_of_file(entry, path, record)
    if found is None:
        reason = "the file is not here; paths in a recipe are relative to its file"
        record.check((*path, "path"), f"{target}.path", reason)
    else:
        record.exact((*path, "path"), f"{target}.path")
    _record_others(entry, path, record, target)
    return {"name": name, "path": record.context.relative(place)}


def _format_of(place: str, found: Path | None, loader: Any) -> str | None:
    """Return the source for a file. axolotl reads a file of any other name as JSON, and its JSON may have lines."""
    suffix = Path(unpacked_name(place)).suffix
    if loader is None and suffix == ".arrow":
        return None
    name = LOADERS.get(str(loader)) if loader else SUFFIXES.get(suffix, "json")
    if name == "json" and (suffix == ".jsonl" or has_lines(found)):
        return "jsonl"
    return name


def _check_split_of_file(entry: Mapping[str, Any], path: KeyPath, record: Recorder) -> None:
    split = entry.get("split")
    if split not in (None, "train"):
        reason = f"`split` is `{split}`, but ftrun takes a part only of datasets of the hub"
        record.refuse((*path, "split"), reason, "use dataset.limit, or write the part into another file")
    elif split:
        record.exact((*path, "split"))


def _read_folder(
    found: Path, place: str, entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str
) -> Source | None:
    files = entry.get("data_files")
    if files:
        names = [files] if isinstance(files, str) else list(files)
        if len(names) == 1:
            inside = found / names[0]
            return _read_file(str(inside) if inside.exists() else names[0], entry, path, record, target)
        record.refuse(
            (*path, "data_files"), "it names several files", "use a pattern: dataset.source.path=FOLDER/*.jsonl"
        )
        return None
    if any((found / name).exists() for name in SAVED):
        record.refuse(
            (*path, "path"),
            f"`{place}` was written by `save_to_disk`, which ftrun does not read",
            "convert it to Parquet: `Dataset.to_parquet`",
        )
        return None
    suffixes = {Path(unpacked_name(file.name)).suffix for file in found.rglob("*") if file.is_file()} & SUFFIXES.keys()
    if len(suffixes) != 1:
        listed = ", ".join(sorted(suffixes)) or "no known format"
        record.refuse(
            (*path, "path"),
            f"the files in `{place}` are of several formats or none: {listed}",
            "name one file, or a pattern",
        )
        return None
    _check_split_of_file(entry, path, record)
    record.exact((*path, "path"), f"{target}.path")
    _record_others(entry, path, record, target)
    return {"name": SUFFIXES[suffixes.pop()], "path": record.context.relative(place)}


def _read_hub(place: str, entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str) -> Source | None:
    source: Source = {"name": "hub", "repo": place}
    record.exact((*path, "path"), f"{target}.repo")
    if (revision := entry.get("revision")) is not None:
        source["revision"] = revision
    if (subset := entry.get("name")) is not None:
        source["subset"] = subset
        record.check((*path, "name"), f"{target}.subset", SUBSET_NOTE)
    split = entry.get("split") or "train"
    if files := entry.get("data_files"):
        source["files"] = [files] if isinstance(files, str) else files
        record.exact((*path, "data_files"), f"{target}.files")
        if split != "train":
            record.refuse(
                (*path, "split"),
                f"`split` is `{split}`, but with `data_files` ftrun takes whole files",
                "leave one of them out",
            )
        elif "split" in entry:
            record.exact((*path, "split"))
        return source
    if not re.fullmatch(SPLIT, str(split)):
        record.refuse(
            (*path, "split"),
            f"`split` is `{split}`, but ftrun takes one split or a part of one",
            "write two entries of `datasets`",
        )
        return None
    source["split"] = split
    if "split" in entry:
        record.exact((*path, "split"), f"{target}.split")
    _record_others(entry, path, record, target)
    return source


def _record_others(entry: Mapping[str, Any], path: KeyPath, record: Recorder, target: str) -> None:
    if entry.get("ds_type") is not None:
        record.exact((*path, "ds_type"), f"{target}.name")
    if entry.get("revision") is not None:
        record.exact((*path, "revision"), f"{target}.revision")
    if entry.get("trust_remote_code") is False:
        record.exact((*path, "trust_remote_code"))
