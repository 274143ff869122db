"""Datasets of a LLaMA-Factory configuration, described by its `dataset_info.json`, as the section `dataset`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ftrun_plugins.importing.llama_factory.columns import read_formatter
from ftrun_plugins.importing.llama_factory.dataset_info import Info, find_info
from ftrun_plugins.importing.llama_factory.keys import SAME
from ftrun_plugins.importing.llama_factory.settings import Settings, split_list
from ftrun_plugins.importing.llama_factory.sources import read_source

EVALUATION = ("eval_strategy", "evaluation_strategy", "eval_steps", "per_device_eval_batch_size")
MIXES = {"interleave_under": "first_exhausted", "interleave_over": "all_exhausted"}
SPLIT = "ftrun chooses the held-out rows by their content, LLaMA-Factory by a random order"


def read_datasets(settings: Settings) -> dict[str, Any]:
    """Return the section `dataset`, and record the keys that describe it."""
    names, held_out = split_list(settings.get("dataset")), split_list(settings.get("eval_dataset"))
    info = find_info(settings) if names or held_out else None
    if not names:
        settings.refuse("dataset", "the configuration names no dataset to train on", "set `dataset`")
    read = {name: _read_part(name, "dataset", info, settings) for name in names if info}
    parts = {re.sub(r"\W", "_", name): part for name, part in read.items() if part}
    section = _join(parts, settings)
    section |= _read_held_out(held_out, parts, info, settings)
    _read_sizes(section, settings)
    settings.done |= {entry.key for entry in settings.record.draft.entries}
    for key in ("dataset", "eval_dataset", "dataset_dir", "mask_history"):
        settings.exact(key, "dataset" if key != "mask_history" else "dataset.formatter.trained")
    return section


def has_tools(section: Mapping[str, Any]) -> bool:
    """Return whether rows of the dataset may have tools."""
    formatters = [section.get("formatter"), *(part.get("formatter") for part in section.get("parts", {}).values())]
    chats = [formatter for formatter in formatters if formatter and formatter["name"] in ("sharegpt", "chat")]
    return any(formatter.get("tools", "tools") is not None for formatter in chats)


def _read_part(name: str, key: str, info: Info, settings: Settings) -> dict[str, Any] | None:
    """Return source, formatter and limit of a dataset, or None if it has no way in."""
    described = info.describe(name, key, settings)
    if described is None:
        return None
    source = read_source(name, key, described, info, settings)
    formatter = read_formatter(name, key, described, settings)
    if source is None or formatter is None:
        return None
    limits = [described.get("num_samples"), settings.get("max_samples")]
    if described.get("num_samples"):
        reason = f"`num_samples` of `{name}`: ftrun takes the first rows, LLaMA-Factory random ones"
        settings.record.changed((key,), "dataset", reason)
    given = [limit for limit in limits if isinstance(limit, int)]
    return {"source": source, "formatter": formatter, **({"limit": min(given)} if given else {})}


def _join(parts: Mapping[str, dict[str, Any]], settings: Settings) -> dict[str, Any]:
    """Return one dataset as it is, and several as parts."""
    settings.exact("max_samples", "dataset.limit" if len(parts) < 2 else "dataset.parts")
    if len(parts) < 2:
        for key in ("mix_strategy", "interleave_probs"):
            settings.leave_out(key, "there is one dataset")
        return dict(next(iter(parts.values()), {}))
    formatters = [part["formatter"] for part in parts.values()]
    section: dict[str, Any] = {"parts": {name: dict(part) for name, part in parts.items()}}
    if all(formatter == formatters[0] for formatter in formatters):
        section["formatter"] = formatters[0]
        for part in section["parts"].values():
            del part["formatter"]
    strategy = str(settings.get("mix_strategy", "concat"))
    if strategy in MIXES:
        weights = [float(text) for text in split_list(settings.get("interleave_probs"))] or [1.0] * len(parts)
        for part, weight in zip(section["parts"].values(), weights, strict=False):
            part["weight"] = weight
        section["stopping_strategy"] = MIXES[strategy]
        settings.changed("mix_strategy", "dataset.stopping_strategy", "ftrun mixes in fixed turns, not at random")
    elif strategy not in ("concat", "interleave_once"):
        settings.refuse("mix_strategy", f"`mix_strategy` is `{strategy[:40]}`", "use concat")
    settings.exact("mix_strategy", "dataset.parts")
    settings.exact("interleave_probs", "dataset.parts")
    return section


def _read_held_out(
    names: list[str], parts: Mapping[str, dict[str, Any]], info: Info | None, settings: Settings
) -> dict[str, Any]:
    """Return the held-out rows of other datasets."""
    read = {name: part for name in names if info and (part := _read_part(name, "eval_dataset", info, settings))}
    if not read:
        return {}
    if len(read) > 1 or len(parts) > 1:
        reason = "several datasets with held-out rows of other datasets"
        hint = "leave eval_dataset out, and set `held_out` of each part in the recipe"
        settings.refuse("eval_dataset", f"`eval_dataset`: {reason}", hint)
        return {}
    (part,) = read.values()
    formatter = next(iter(parts.values()), {}).get("formatter")
    if formatter is not None and part["formatter"] != formatter:
        settings.refuse("eval_dataset", "the held-out rows have other columns", "give both files the same columns")
    settings.exact("eval_dataset", "dataset.held_out")
    return {"held_out": part["source"]}


def _read_sizes(section: dict[str, Any], settings: Settings) -> None:
    size = settings.get("val_size", 0)
    if isinstance(size, int | float) and 0 < size < 1:
        section["split"] = {"held_out": size}
        settings.changed("val_size", "dataset.split.held_out", SPLIT)
    elif size:
        what = f"`val_size` is {size}, a number of rows; ftrun holds out a share of them"
        settings.refuse("val_size", what, "set a share such as 0.1")
    settings.exact("val_size")
    if not section.get("split") and not section.get("held_out"):
        _drop_evaluation(settings)
    elif "eval_strategy" not in settings.train:
        settings.train["eval_strategy"] = settings.defaults["eval_strategy"] = "no"


def _drop_evaluation(settings: Settings) -> None:
    """Remove the keys of evaluations, which have no rows."""
    entries = settings.record.draft.entries
    for key in EVALUATION:
        settings.train.pop(SAME[key], None)
    settings.record.draft.entries = [
        replace(entry, outcome="left-out", target=None, reason="there are no held-out rows")
        if entry.key in EVALUATION
        else entry
        for entry in entries
    ]
