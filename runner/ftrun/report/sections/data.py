"""Section on data: sources, rejected rows, filters and token counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ftrun.api.artifacts import FormattedRows, TokenizedRows
from ftrun.report.html import Content, Html, element, table
from ftrun.report.number_format import number
from ftrun.report.run_data import RunData

SPLITS = {"train": "training", "held_out": "held out"}
SHOWN_DIGITS = 12  # of a digest


def data(run: RunData) -> Iterator[Html]:
    yield from _rows(run.json("format", FormattedRows.REPORT) or {})
    yield from _tokens(run.json("tokenize", TokenizedRows.REPORT) or {})


def _rows(report: Mapping[str, Any]) -> Iterator[Html]:
    if report.get("sources"):
        yield table("Sources", ("source", "for", "rows", "files"), map(_source, report["sources"]), numbers=(2,))
    selections = (source["chose"] for source in report.get("sources", ()) if source.get("chose"))
    for name, reason in {selection["name"]: selection["why"] for selection in selections}.items():
        yield element("p", f"Formatter selected from the data: {name} ({reason}).")
    if "rejected" in report:
        train, held_out, rejected = (number(report.get(name, 0)) for name in ("train", "held_out", "rejected"))
        yield element("p", f"{train} rows for training, {held_out} held out, {rejected} rejected.")
    if report.get("filters"):
        rows = ((name, number(count)) for name, count in report["filters"].items())
        yield table("Rows removed by filters", ("filter", "rows"), rows, numbers=(1,))
    if report.get("reasons"):
        rows = ((reason, number(count)) for reason, count in report["reasons"].items())
        yield table("Rejected rows by reason", ("reason", "rows"), rows, numbers=(1,))


def _source(source: Mapping[str, Any]) -> Sequence[Content]:
    files = [
        f"{file['name']} ({str(file.get('sha256') or file.get('commit') or '')[:SHOWN_DIGITS]})"
        for file in source.get("files", ())
    ]
    role = "held-out rows" if source.get("role") == "held_out" else "rows"
    name = f"{source['part']}: {source['name']}" if source.get("part") else source["name"]
    return name, role, number(source.get("rows", 0)), ", ".join(files)


def _tokens(report: Mapping[str, Any]) -> Iterator[Html]:
    splits = {name: dict(_counts(report[split])) for split, name in SPLITS.items() if report.get(split, {}).get("rows")}
    if splits:
        names = next(iter(splits.values()))
        rows = ((name, *(split.get(name, "") for split in splits.values())) for name in names)
        yield table("Tokens", ("count", *splits), rows, numbers=range(1, len(splits) + 1))


def _counts(split: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "rows", number(split["rows"])
    yield "tokens", number(split["tokens"])
    yield "trained tokens", f"{number(split['trained_tokens'])} ({split['trained_tokens'] / split['tokens']:.0%})"
    if split.get("lengths"):
        yield f"lengths at {', '.join(split['lengths'])}", ", ".join(map(number, split["lengths"].values()))
    longest = split.get("longest", {})
    yield "longest row", f"{longest.get('place', '')} ({number(longest.get('tokens', 0))})"
    yield "truncated", number(split.get("cut", 0))
    yield "dropped", number(split.get("dropped", 0))
    if "packing_efficiency" in split:
        yield "packing efficiency", f"{split['packing_efficiency']:.1%}"
