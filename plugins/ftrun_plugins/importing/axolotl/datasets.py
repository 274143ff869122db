"""The datasets of an axolotl configuration as the section `dataset`: one source, or parts, and held-out rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ftrun_plugins.importing.axolotl.dataset_entry import DatasetPart, read_entry
from ftrun_plugins.importing.draft import Recorder

HELD_OUT_SHARE = 0.05  # used if axolotl holds out a number of rows
DATASET_KEYS = ("datasets", "test_datasets", "val_set_size", "dataset_exact_deduplication")


def read_datasets(values: Mapping[str, Any], record: Recorder) -> dict[str, Any]:
    """Return the section `dataset`."""
    entries, tests = _read_list(values, "datasets", record), values.get("test_datasets") or []
    names = _name_parts(entries)
    single = len(entries) == 1
    parts = [
        read_entry(entry, ("datasets", index), record, "dataset" if single else f"dataset.parts.{names[index]}")
        for index, entry in enumerate(entries)
    ]
    read = {name: part for name, part in zip(names, parts, strict=True) if part is not None}
    if not read or len(read) < len(entries):
        return {}
    _unify_kinds(read, record)
    section = _write_parts(read, single)
    trainer = _read_trainer_keys(list(read.values()), record)
    section |= {"trainer": trainer} if trainer else {}
    _read_tests(tests, read, section, single, record)
    _read_split(values, section, record)
    _read_deduplication(values, section, single, record)
    return section


def _read_deduplication(values: Mapping[str, Any], section: dict[str, Any], single: bool, record: Recorder) -> None:
    key = ("dataset_exact_deduplication",)
    if not values.get(key[0]):
        if values.get(key[0]) is False:
            record.exact(key)
        return
    section["filters"] = [{"distinct": True}]
    if single:
        reason = "ftrun drops rows that occur twice before it formats them, axolotl after it has tokenized them"
        record.changed(key, "dataset.filters", reason)
    else:
        reason = "ftrun drops rows that occur twice in one part, axolotl also those that occur in two datasets"
        record.check(key, "dataset.filters", reason)


def holds_out(values: Mapping[str, Any]) -> bool:
    """Return whether a configuration holds out rows for evaluation."""
    return bool(values.get("val_set_size") or values.get("test_datasets"))


def _read_list(values: Mapping[str, Any], key: str, record: Recorder) -> list[Any]:
    entries = values.get(key)
    if isinstance(entries, list) and entries:
        return entries
    if not values.get("pretraining_dataset"):
        record.refuse((key,), f"`{key}` lists no dataset", "add an entry with `path` and `type`")
    return []


def _name_parts(entries: Sequence[Any]) -> list[str]:
    """Return a name for each part: the last word of its path, with a number if it occurs twice."""
    names: list[str] = []
    for entry in entries:
        path = str(entry.get("path") if isinstance(entry, dict) else "") or "part"
        word = re.sub(r"\W+", "_", path.rstrip("/").rpartition("/")[2].partition(".")[0]).strip("_").lower() or "part"
        same = sum(name == word or name.startswith(f"{word}_") for name in names)
        names.append(f"{word}_{same + 1}" if same else word)
    return names


def _unify_kinds(parts: Mapping[str, DatasetPart], record: Recorder) -> None:
    """Make all parts the same kind of example: ftrun mixes no others. A text is also a segment that is trained."""
    kinds = {part.kind for part in parts.values()}
    if kinds == {"segments", "text"}:
        for part in parts.values():
            if part.kind == "text":
                column = part.formatter.get("field", "text")
                part.kind, part.formatter = "segments", {"name": "template", "prompt": "", "answer": f"{{{column}}}"}
    elif len(kinds) > 1:
        reason = "the datasets are chats and other texts, and the parts of a dataset make one kind of example in ftrun"
        record.refuse(("datasets",), reason, "convert the rows of all datasets to chats")


def _write_parts(parts: Mapping[str, DatasetPart], single: bool) -> dict[str, Any]:
    formatters = [part.formatter for part in parts.values()]
    if single:
        (part,) = parts.values()
        return {"source": part.source, "formatter": part.formatter}
    if all(formatter == formatters[0] for formatter in formatters):
        return {"formatter": formatters[0], "parts": {name: {"source": part.source} for name, part in parts.items()}}
    return {"parts": {name: {"source": part.source, "formatter": part.formatter} for name, part in parts.items()}}


def _read_trainer_keys(parts: Sequence[DatasetPart], record: Recorder) -> dict[str, Any]:
    if any(part.trainer != parts[0].trainer for part in parts):
        names = {key for part in parts for key in part.trainer}
        differing = sorted(key for key in names if len({str(part.trainer.get(key)) for part in parts}) > 1)
        reason = f"the datasets disagree on {', '.join(differing)}, and ftrun has one value for all parts"
        record.refuse(("datasets",), reason, "use the same values, or make a recipe for each dataset")
    return parts[0].trainer


def _read_tests(
    tests: Any, parts: Mapping[str, DatasetPart], section: dict[str, Any], single: bool, record: Recorder
) -> None:
    """Make each test dataset the held-out rows of a part whose formatter also reads its rows."""
    if not isinstance(tests, list):
        record.refuse(("test_datasets",), "`test_datasets` is not a list", "write entries with `path` and `type`")
        return
    free = dict(parts)
    for index, entry in enumerate(tests):
        name = next(iter(free), next(iter(parts)))
        target = "dataset.held_out" if single else f"dataset.parts.{name}.held_out"
        test = read_entry(entry, ("test_datasets", index), record, target)
        if test is None:
            continue
        fitting = next((name for name, part in free.items() if _is_alike(part, test)), None)
        if fitting is None:
            reason = (
                "its rows have another format than those of the datasets, or there are more test datasets than datasets"
            )
            record.refuse(("test_datasets", index), reason, "use one test dataset for each dataset")
            continue
        free.pop(fitting)
        owner = section if single else section["parts"][fitting]
        owner["held_out"] = test.source


def _is_alike(part: DatasetPart, test: DatasetPart) -> bool:
    return part.formatter == test.formatter and part.trainer == test.trainer


def _read_split(values: Mapping[str, Any], section: dict[str, Any], record: Recorder) -> None:
    size = values.get("val_set_size")
    if not isinstance(size, int | float) or isinstance(size, bool):
        return
    if not size or values.get("test_datasets"):
        record.exact(("val_set_size",))
    elif size < 1:
        section["split"] = {"held_out": size}
        record.exact(("val_set_size",), "dataset.split.held_out")
    else:
        section["split"] = {"held_out": HELD_OUT_SHARE}
        reason = f"axolotl holds out {size:g} rows, ftrun a share; set it to {size:g} divided by the number of rows"
        record.check(("val_set_size",), "dataset.split.held_out", reason)
