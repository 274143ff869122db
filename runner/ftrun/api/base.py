"""Base classes of the types of a recipe: immutable models, and references to plugins with their options."""

from __future__ import annotations

from collections.abc import Iterable
from operator import not_
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

__all__ = ["Frozen", "Json", "PluginRef", "TemplateVariables", "WithOptions", "reserved_variables"]

Json = dict[str, Any]

# Arguments of `apply_chat_template` and variables that the renderers set themselves.
SET_BY_RENDERERS = frozenset(
    ("add_generation_prompt", "bos_token", "chat_template", "continue_final_message", "conversation", "eos_token",
     "max_length", "messages", "padding", "real_last_index", "return_assistant_tokens_mask", "return_dict",
     "return_tensors", "tokenize", "tools", "truncation")
)  # fmt: skip


def _check_variables(variables: Json) -> Json:
    if taken := reserved_variables(variables):
        raise ValueError(f"variables of the chat template, without `{taken[0]}`, which ftrun sets")
    return variables


def reserved_variables(names: Iterable[str]) -> list[str]:
    """Return the names that cannot be variables of a recipe, because ftrun or an engine sets them."""
    return sorted(SET_BY_RENDERERS.intersection(names))


TemplateVariables = Annotated[Json, AfterValidator(_check_variables), Field(exclude_if=not_)]
"""Values of variables of a chat template. Left out of the parameters of a stage if empty, and so out of its key."""


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
