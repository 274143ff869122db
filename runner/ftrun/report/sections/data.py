"""The section on data: where rows came from, which were rejected, and what became of them as tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ftrun.report.html import Content, Html, element, table
from ftrun.report.number_format import number
from ftrun.report.run_data import RunData

SPLITS = {"train": "training", "held_out": "held out"}
DIGITS = 12  # shown of a digest


def data(material: RunData) -> Iterator[Html]:
    yield from _rows(material.json("format", "report.json") or {})
    yield from _tokens(material.json("tokenize", "report.json") or {})


def _rows(report: Mapping[str, Any]) -> Iterator[Html]:
    if report.get("sources"):
        yield table("Sources", ("source", "for", "rows", "files"), map(_source, report["sources"]), numbers=(2,))
    chosen = {chose["name"]: chose["why"] for source in report.get("sources", ()) if (chose := source.get("chose"))}
    for name, why in chosen.items():
        yield element("p", f"The formatter was chosen by the data: {name}, for {why}.")
    if "rejected" in report:
        train, held_out, rejected = (number(report.get(name, 0)) for name in ("train", "held_out", "rejected"))
        yield element("p", f"{train} rows for training, {held_out} held out, {rejected} rejected.")
    if report.get("filters"):
        rows = ((name, number(count)) for name, count in report["filters"].items())
        yield table("What filters removed", ("filter", "rows"), rows, numbers=(1,))
    if report.get("reasons"):
        rows = ((reason, number(count)) for reason, count in report["reasons"].items())
        yield table("Why rows were rejected", ("reason", "rows"), rows, numbers=(1,))


def _source(source: Mapping[str, Any]) -> Sequence[Content]:
    files = [
        f"{file['name']} ({str(file.get('sha256') or file.get('commit') or '')[:DIGITS]})"
        for file in source.get("files", ())
    ]
    role = "held-out rows" if source.get("role") == "held_out" else "rows"
    name = f"{source['part']}: {source['name']}" if source.get("part") else source["name"]
    return name, role, number(source.get("rows", 0)), ", ".join(files)


def _tokens(report: Mapping[str, Any]) -> Iterator[Html]:
    splits = {name: dict(_counts(report[split])) for split, name in SPLITS.items() if report.get(split, {}).get("rows")}
    if splits:
        counted = next(iter(splits.values()))
        rows = ((what, *(split.get(what, "") for split in splits.values())) for what in counted)
        yield table("Tokens", ("counted", *splits), rows, numbers=range(1, len(splits) + 1))


def _counts(split: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "rows", number(split["rows"])
    yield "tokens", number(split["tokens"])
    yield "trained tokens", f"{number(split['trained_tokens'])} ({split['trained_tokens'] / split['tokens']:.0%})"
    if split.get("lengths"):
        yield f"lengths at {', '.join(split['lengths'])}", ", ".join(map(number, split["lengths"].values()))
    longest = split.get("longest", {})
    yield "longest row", f"{longest.get('place', '')} ({number(longest.get('tokens', 0))})"
    yield "cut short", number(split.get("cut", 0))
    yield "dropped", number(split.get("dropped", 0))
    if "packing_efficiency" in split:
        yield "packing efficiency", f"{split['packing_efficiency']:.1%}"
