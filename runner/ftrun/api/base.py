"""What the recipe's objects are made of: frozen models, and parts that are named with options of their own."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

Json = dict[str, Any]


class Frozen(BaseModel):
    """Immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WithOptions(BaseModel):
    """Has keys of its own; the others are the options of a plugin's part, which that part's own model checks."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @property
    def options(self) -> Json:
        return dict(self.model_extra or {})


class PluginRef(WithOptions):
    """A plugin's part by name."""

    name: str
