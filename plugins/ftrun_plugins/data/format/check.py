"""Checks across several keys of a recipe's dataset: source or parts, weights, splits, formatters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ftrun.api.dataset import Dataset, MixPart
from ftrun.api.issues import Issue, KeyPath

NAME = re.compile(r"\w[\w.-]{0,59}", re.ASCII)


def check(dataset: Dataset) -> Iterator[Issue]:
    """Yield the issues of a dataset in which each key is valid by itself."""
    if dataset.parts:
        yield from _check_parts(dataset)
    elif dataset.source is None:
        path: KeyPath = ("dataset", "source")
        yield Issue(
            "missing-key",
            path,
            "`dataset.source` is missing",
            hint="set it, or set `dataset.parts` for several sources",
        )
    yield from _check_formatters(dataset)
    yield from _check_held_out(dataset)


def _check_parts(dataset: Dataset) -> Iterator[Issue]:
    if dataset.source is not None:
        what = "`dataset.source` and `dataset.parts` are both set"
        hint = "make the source one of the parts, or remove it: dataset.source=null"
        yield Issue("conflicting-keys", ("dataset", "source"), what, hint=hint, also=(("dataset", "parts"),))
    weighted = [name for name, part in dataset.parts.items() if part.weight]
    for name in dataset.parts:
        path = ("dataset", "parts", name)
        if not NAME.fullmatch(name):
            yield Issue(
                "invalid-value",
                path,
                f"`{name[:60]}` is not a valid name for a part",
                "a name of at most 60 letters, digits, `_`, `-` and `.`",
            )
        if weighted and name not in weighted:
            what = f"`dataset.parts.{name}` has no weight, but {_name_weighted(weighted)}"
            yield Issue(
                "invalid-value",
                path,
                what,
                "a weight for each part or for none; without weights, all parts are read in turns",
            )


def _check_formatters(dataset: Dataset) -> Iterator[Issue]:
    if dataset.formatter is not None:
        return
    if dataset.source is not None or dataset.held_out is not None or not dataset.parts:
        hint = "set it in the recipe or with an override"
        yield Issue("missing-key", ("dataset", "formatter"), "`dataset.formatter` is missing", hint=hint)
        return
    for name, part in dataset.parts.items():
        if part.formatter is None:
            what = f"`dataset.parts.{name}.formatter` is missing"
            yield Issue(
                "missing-key", ("dataset", "parts", name), what, hint="set it, or set `dataset.formatter` for all parts"
            )


def _check_held_out(dataset: Dataset) -> Iterator[Issue]:
    if dataset.held_out_limit and not any(dataset.held_out_sources()):
        path, hint = ("dataset", "held_out_limit"), "set dataset.limit, which limits the rows before they are split"
        yield Issue(
            "no-effect", path, "`dataset.held_out_limit` has no effect because `dataset.held_out` is not set", hint=hint
        )
    if dataset.held_out is not None:
        yield from _check_split(dataset, ("dataset",))
    for name, part in dataset.parts.items():
        if part.held_out is not None:
            yield from _check_split(part, ("dataset", "parts", name))


def _check_split(owner: Dataset | MixPart, path: KeyPath) -> Iterator[Issue]:
    if owner.split is None or owner.split.held_out == 0:
        return
    name = ".".join(map(str, path))
    what = f"`{name}.split.held_out` is {owner.split.held_out}, but `{name}.held_out` already names held-out rows"
    yield Issue(
        "conflicting-keys",
        (*path, "split", "held_out"),
        what,
        f"0, or no `{name}.held_out`",
        also=((*path, "held_out"),),
    )


def _name_weighted(names: list[str]) -> str:
    return f"`{names[0]}`" + (f" and {len(names) - 1} more have one" if len(names) > 1 else " has one")
