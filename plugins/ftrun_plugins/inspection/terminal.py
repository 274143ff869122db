"""The summary as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ftrun.utils.text import list_places
from ftrun_plugins.inspection.data_summary import bars

NAMES = {"train": "rows for training", "validation": "rows for validation", "held_out": "held-out rows"}
NO_TOKENS = "Tokens are unknown: no run has tokenized these rows. `ftrun data --tokens` does."


def summary_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a summary."""
    for source in summary["sources"]:
        part = f"{source['part']}: " if source.get("part") else ""
        role = "held-out rows" if source["role"] == "held_out" else "rows"
        yield f"{part}{source['name']}  {source['rows']:,} {role}"
    for name, count in summary.get("filters", {}).items():
        yield f"  {count:,} rows are removed by the filter `{name}`"
    for reason, count in summary.get("reasons", {}).items():
        yield f"  {count:,} rows are rejected: {reason}"
    yield from (f"  {note}" for note in summary.get("notes", ()))
    for split, counts in summary["splits"].items():
        yield from _split_lines(NAMES[split], counts)
    yield from _overlap_lines(summary.get("overlap"))
    yield from _token_lines(summary.get("tokens"))
    yield from _sensitive_lines(summary["sensitive"])


def _split_lines(name: str, counts: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    repeated = f"{counts['repeated']:,} repeated, {counts['repeated_questions']:,} with a repeated question"
    yield f"{counts['rows']:,} {name}: {repeated}"
    yield f"  characters of a row: {counts['characters'] // counts['rows']:,} on average"
    yield from (f"  {line}" for line in bars(counts["lengths"]))


def _overlap_lines(overlap: Mapping[str, Any] | None) -> Iterator[str]:
    if overlap:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in overlap["kinds"].items())
        yield ""
        yield f"Overlap: {overlap['rows']:,} of {overlap['held_out']:,} held-out rows are repeated in training rows" + (
            f" ({kinds})" if kinds else ""
        )


def _token_lines(tokens: Mapping[str, Any] | None) -> Iterator[str]:
    yield ""
    if tokens is None:
        yield NO_TOKENS
        return
    for split, counts in tokens["splits"].items():
        trained = f"{counts['trained_tokens']:,} trained ({counts['trained_share']:.0%})"
        cut = f"{counts['cut']:,} rows cut, {counts['dropped']:,} dropped"
        packing = f"packing efficiency {counts['packing_efficiency']:.0%}"
        yield f"Tokens of the split `{split}`: {counts['tokens']:,}, {trained}; {cut}; {packing}"
        yield from (f"  {line}" for line in bars(counts["histogram"]))
    if tokens["steps_per_epoch"]:
        yield f"Steps per epoch with one process: {tokens['steps_per_epoch']:,}"


def _sensitive_lines(findings: list[Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    if not findings:
        yield "No secrets or personal data are found."
        return
    yield "Secrets and personal data, masked:"
    for finding in findings:
        places = list_places(finding["places"], finding["rows"], "more rows")
        yield f"  {finding['kind']}: {finding['rows']:,} rows, such as {finding['example']} at {places}"
