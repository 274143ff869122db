"""One thing that a rehearsal replaces in a recipe: what is shown of it, and the overrides that do it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString

LEFT_OUT = "left out"


@dataclass(frozen=True)
class Replacement:
    """`key` had the value `old` and now has `new`, for the reason `why`."""

    key: str
    old: Any
    new: Any
    why: str
    how: tuple[str, ...] = ()  # overrides; empty where `key` is set to `new`

    @property
    def overrides(self) -> tuple[str, ...]:
        if self.how:
            return self.how
        return (f"~{self.key}",) if self.new == LEFT_OUT else (f"{self.key}={hydra_value(self.new)}",)

    def as_dict(self) -> dict[str, Any]:
        return {"key": self.key, "from": self.old, "to": self.new, "why": self.why}


def hydra_value(value: Any) -> str:
    """A value as Hydra's grammar reads it back."""
    if isinstance(value, list):
        return f"[{','.join(map(hydra_value, value))}]"
    if isinstance(value, str):
        return QuotedString(value, Quote.single).with_quotes()
    return json.dumps(value)
