"""Overrides for the replacements of a rehearsal."""

from __future__ import annotations

import json
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString

from ftrun.api.trainers import LEFT_OUT, Replacement


def make_overrides(replacement: Replacement) -> tuple[str, ...]:
    """Return the overrides that apply a replacement."""
    if replacement.how:
        return replacement.how
    key, new = replacement.key, replacement.new
    return (f"~{key}",) if new == LEFT_OUT else (f"{key}={hydra_value(new)}",)


def as_dict(replacement: Replacement) -> dict[str, Any]:
    """Return a replacement as JSON values for the run record."""
    return {"key": replacement.key, "from": replacement.old, "to": replacement.new, "why": replacement.why}


def hydra_value(value: Any) -> str:
    """Format a value so that Hydra's override grammar parses it back."""
    if isinstance(value, list):
        return f"[{','.join(map(hydra_value, value))}]"
    if isinstance(value, str):
        return QuotedString(value, Quote.single).with_quotes()
    return json.dumps(value)
