"""Base classes of the types of a recipe: immutable models, and references to plugins with their options."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["Frozen", "Json", "PluginRef", "WithOptions"]

Json = dict[str, Any]


class Frozen(BaseModel):
    """Immutable model in which an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class WithOptions(BaseModel):
    """Immutable model that keeps further keys as options. The model of the named component checks them."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    @property
    def options(self) -> Json:
        """The keys that are no fields of this model, with their values."""
        return dict(self.model_extra or {})


class PluginRef(WithOptions):
    """Reference to a component of a plugin by name, with its options."""

    name: str
    """Name of the component."""
