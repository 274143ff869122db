"""Result of an evaluation without the held-out rows that training rows repeat."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ftrun.api.artifacts import FormattedRows
from ftrun_plugins.evaluation.evaluate.summary import Result, Row, summarize

PASSAGE = "passage"  # rows about one document share passages, so this alone is no repetition
SHOWN = ("rows", "base", "tuned", "gain", "interval", "verdict", "reason")


def find_repeated(data: FormattedRows | None) -> set[int]:
    """Return the indexes of the held-out rows that training rows repeat, in another way than by a passage."""
    return {row["index"] for row in data.overlaps() if row["kind"] != PASSAGE} if data else set()


def summarize_without(
    repeated: Collection[int], rows: Sequence[Row], meaning: Mapping[str, Any], clusters: Mapping[int, str]
) -> Result:
    """Return the result without the repeated rows and their number; empty if no row is repeated."""
    others = [row for row in rows if row["index"] not in repeated]
    if len(others) == len(rows):
        return {}
    result = summarize(others, meaning, clusters)
    return {
        "without_overlap": {
            "overlap": len(rows) - len(others),
            **{name: result[name] for name in SHOWN if name in result},
        }
    }
