"""Section on data: sources, rejected rows, filters and token counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ftrun.api.artifacts import FormattedRows, TokenizedRows
from ftrun.report.number_format import number
from ftrun.report.run_data import RunData
from ftrun.report.table import Table

SPLITS = {"train": "training", "validation": "validation", "held_out": "held out"}
SHOWN_DIGITS = 12  # of a digest
MOST_OVERLAPS = 20


def data(run: RunData) -> dict[str, Any] | None:
    report = run.json("format", FormattedRows.REPORT) or {}
    tokenized = run.json("tokenize", TokenizedRows.REPORT) or {}
    overlaps = islice(run.lines("format", FormattedRows.OVERLAP), MOST_OVERLAPS) if report.get("overlap") else ()
    tables = [*_counts(report), *_overlaps(overlaps), *_losses(tokenized), *_tokens(tokenized)]
    content = {"sources": _sources(report.get("sources")), "notes": list(_notes(report)), "tables": tables}
    return content if any(content.values()) else None


def _sources(sources: Sequence[Mapping[str, Any]] | None) -> Table | None:
    titles = ("source", "for", "rows", "files")
    return Table("Sources", titles, [_source(source) for source in sources], numbers=(2,)) if sources else None


def _notes(report: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{note[:1].upper()}{note[1:]}." for note in report.get("notes", ()))
    if "rejected" in report:
        train, held_out, rejected = (number(report.get(name, 0)) for name in ("train", "held_out", "rejected"))
        validation = f"{number(report['validation'])} for validation, " if "validation" in report else ""
        yield f"{train} rows for training, {validation}{held_out} held out, {rejected} rejected."
    if overlap := report.get("overlap"):
        rows, held_out = number(overlap["rows"]), number(overlap["held_out"])
        passages = number(overlap["kinds"].get("passage", 0))
        yield f"{rows} of {held_out} held-out rows are repeated in training rows, {passages} more share a passage."


def _counts(report: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the counts of removed rows by filter, and those of rejected rows by reason."""
    for key, caption, title in (
        ("filters", "Rows removed by filters", "filter"),
        ("reasons", "Rejected rows by reason", "reason"),
    ):
        if rows := [(name, number(count)) for name, count in (report.get(key) or {}).items()]:
            yield Table(caption, (title, "rows"), rows, numbers=(1,))


def _overlaps(overlaps: Iterable[Mapping[str, Any]]) -> Iterator[Table]:
    """Yield the first held-out rows that training rows repeat, with both places."""
    if rows := [(row["place"], row["kind"], row["train"], number(row["rows"])) for row in overlaps]:
        yield Table(
            "Held-out rows that overlap with training rows", ("held out", "kind", "training", "rows"), rows, (3,)
        )


def _losses(report: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the kinds of content that the chat template leaves out, with the number of rows and the first one."""
    rows = [
        (kind, name, number(loss["rows"]), loss["first"])
        for split, name in SPLITS.items()
        for kind, loss in report.get(split, {}).get("template_losses", {}).items()
    ]
    if rows:
        yield Table("Content that the chat template leaves out", ("content", "split", "rows", "first"), rows, (2,))


def _source(source: Mapping[str, Any]) -> Sequence[str]:
    files = [
        f"{file['name']} ({str(file.get('sha256') or file.get('commit') or '')[:SHOWN_DIGITS]})"
        for file in source.get("files", ())
    ]
    role = "held-out rows" if source.get("role") == "held_out" else "rows"
    name = f"{source['part']}: {source['name']}" if source.get("part") else source["name"]
    return name, role, number(source.get("rows", 0)), ", ".join(files)


def _tokens(report: Mapping[str, Any]) -> Iterator[Table]:
    splits = {
        name: dict(_token_counts(report[split])) for split, name in SPLITS.items() if report.get(split, {}).get("rows")
    }
    if splits:
        names = next(iter(splits.values()))
        rows = [(name, *(split.get(name, "") for split in splits.values())) for name in names]
        yield Table("Tokens", ("count", *splits), rows, numbers=range(1, len(splits) + 1))


def _token_counts(split: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
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
