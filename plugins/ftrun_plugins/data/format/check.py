"""Checks of a recipe's dataset that cross its keys: one source or parts, weights, splits, formatters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ftrun.api.dataset import Dataset, MixPart
from ftrun.api.issues import Issue
from ftrun.recipe.yaml_files import KeyPath

NAME = re.compile(r"\w[\w.-]{0,59}", re.ASCII)


def check(dataset: Dataset) -> Iterator[Issue]:
    """What is wrong with a dataset whose every key is right by itself."""
    if dataset.parts:
        yield from _mix(dataset)
    elif dataset.source is None:
        path: KeyPath = ("dataset", "source")
        yield Issue(
            "missing-key", path, "`dataset.source` is missing", hint="set it, or `dataset.parts` for several sources"
        )
    yield from _formatters(dataset)
    yield from _held_out(dataset)


def _mix(dataset: Dataset) -> Iterator[Issue]:
    if dataset.source is not None:
        what = "`dataset.source` and `dataset.parts` both say where rows come from"
        do = "make the source one of the parts, or take it back: dataset.source=null"
        yield Issue("conflicting-keys", ("dataset", "source"), what, hint=do, also=(("dataset", "parts"),))
    weighted = [name for name, part in dataset.parts.items() if part.weight]
    for name in dataset.parts:
        path = ("dataset", "parts", name)
        if not NAME.fullmatch(name):
            yield Issue(
                "invalid-value",
                path,
                f"`{name[:60]}` names a part",
                "a short name of letters, digits, `_`, `-` and `.`",
            )
        if weighted and name not in weighted:
            what = f"`dataset.parts.{name}` has no weight, but {_some(weighted)} has"
            yield Issue(
                "invalid-value", path, what, "a weight for every part, or for none: then all are read whole, in turns"
            )


def _formatters(dataset: Dataset) -> Iterator[Issue]:
    if dataset.formatter is not None:
        return
    if dataset.source is not None or dataset.held_out is not None or not dataset.parts:
        do = "set it in the recipe or as an override"
        yield Issue("missing-key", ("dataset", "formatter"), "`dataset.formatter` is missing", hint=do)
        return
    for name, part in dataset.parts.items():
        if part.formatter is None:
            what = f"`dataset.parts.{name}.formatter` is missing"
            yield Issue(
                "missing-key", ("dataset", "parts", name), what, hint="set it, or `dataset.formatter` for all parts"
            )


def _held_out(dataset: Dataset) -> Iterator[Issue]:
    if dataset.held_out_limit and not any(dataset.held_out_sources()):
        place, do = ("dataset", "held_out_limit"), "set dataset.limit, which bounds the rows that are split"
        yield Issue(
            "no-effect", place, "`dataset.held_out_limit` bounds `dataset.held_out`, which names no source", hint=do
        )
    if dataset.held_out is not None:
        yield from _split_too(dataset, ("dataset",))
    for name, part in dataset.parts.items():
        if part.held_out is not None:
            yield from _split_too(part, ("dataset", "parts", name))


def _split_too(owner: Dataset | MixPart, path: KeyPath) -> Iterator[Issue]:
    if owner.split is None or owner.split.held_out == 0:
        return
    name = ".".join(map(str, path))
    what = f"`{name}.split.held_out` is {owner.split.held_out}, but `{name}.held_out` names held-out rows already"
    yield Issue(
        "conflicting-keys",
        (*path, "split", "held_out"),
        what,
        f"0, or no `{name}.held_out`",
        also=((*path, "held_out"),),
    )


def _some(names: list[str]) -> str:
    return f"`{names[0]}`" + (f" with {len(names) - 1} others" if len(names) > 1 else "")
