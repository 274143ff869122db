"""Coverage of an import: what became of each key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ftrun_plugins.importing.draft import Outcome, RecipeDraft

OUTCOMES: tuple[Outcome, ...] = ("exact", "changed", "check", "left-out", "refused")
MOST_KEYS = 200  # keys that are listed; a configuration has fewer


def summary(draft: RecipeDraft) -> str:
    """Return the number of keys by outcome, such as `23 exact, 2 changed`."""
    counts = Counter(entry.outcome for entry in draft.entries)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome]) or "no keys"


def coverage_lines(draft: RecipeDraft) -> Iterator[str]:
    """Yield one line for each key, and a line with the counts."""
    listed = draft.entries[:MOST_KEYS]
    width = max((len(entry.key) for entry in listed), default=0)
    for entry in listed:
        parts = (f"-> {entry.target}" if entry.target else "", entry.reason)
        text = ": ".join(part for part in parts if part)
        yield f"{entry.outcome:<9} {entry.key:<{width}}  {text}".rstrip()
    if len(draft.entries) > MOST_KEYS:
        yield f"and {len(draft.entries) - MOST_KEYS} more"
    yield f"{draft.tool}: {summary(draft)}"


def coverage_json(draft: RecipeDraft) -> dict[str, Any]:
    """Return the coverage as values for JSON."""
    counts = Counter(entry.outcome for entry in draft.entries)
    return {
        "tool": draft.tool,
        "counts": {outcome: counts[outcome] for outcome in OUTCOMES},
        "keys": [asdict(entry) for entry in draft.entries],
    }
