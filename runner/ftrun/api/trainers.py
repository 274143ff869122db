"""Protocol of trainers: the properties of a trainer that other stages and commands need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from ftrun.api.issues import Issue, KeyPath
from ftrun.api.recipe import Recipe

__all__ = ["LEFT_OUT", "AdapterLayout", "Replacement", "Trainer", "TrainerConfig", "TrainerSchema"]

LEFT_OUT = "left out"  # new value of a replacement that removes the key


@dataclass(frozen=True)
class TrainerConfig:
    """Merged trainer keys of a recipe.

    Args:
        values: The keys with their values. Plugins may change them in `ftrun_amend_trainer_config`.
        origins: For each key, the path in the recipe that it comes from.
        overridden: Notes on the values of optimizations that `train` replaces.
        issues: Errors of the merge, such as two optimizations that set a key to different values.
        template_key: The key with the variables of the chat template. None if the trainer has no such key.
    """

    values: dict[str, Any]
    origins: Mapping[str, KeyPath] = field(default_factory=dict)
    overridden: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()
    template_key: str | None = None

    @property
    def template(self) -> dict[str, Any]:
        """Variables of the chat template with which the trainer renders chats."""
        return dict(self.values.get(self.template_key) or {}) if self.template_key else {}

    def set_values(self) -> dict[str, Any]:
        """Return the keys that are not null. A null key means the same as an absent key."""
        return {key: value for key, value in self.values.items() if value is not None}


@dataclass(frozen=True)
class AdapterLayout:
    """Properties of an adapter that an engine must support.

    Args:
        rank: The key that sets the rank of the low-rank matrices, and the rank. None if the configuration sets no rank.
        whole_parts: Parts of the adapter that an engine cannot load beside the base model, by the key that requests
            them. The parts are described in words: "added tokens", "modules that are saved whole".
    """

    rank: tuple[str, int] | None = None
    whole_parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Replacement:
    """Value of a recipe that a rehearsal replaces.

    Args:
        key: The key of the recipe.
        old: The value in the recipe.
        new: The value in the rehearsal, or `LEFT_OUT`.
        why: The reason for the replacement.
        how: The overrides that replace the value, if they are not `key=new`.
    """

    key: str
    old: Any
    new: Any
    why: str
    how: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainerSchema:
    """JSON Schemas of the keys of a trainer.

    Args:
        definitions: JSON Schemas by name.
        keys: The name of the schema of `train`.
        dataset_keys: The name of the schema of `dataset.trainer`.
    """

    definitions: Mapping[str, dict[str, Any]]
    keys: str
    dataset_keys: str


class Trainer(Protocol):
    """Component that interprets the trainer keys of a recipe. The plugin of a trainer also registers its stages.

    A recipe names its trainer under `trainer`. The stages of the trainer label their calls `tokenize`, `train` and
    `merge`, and write artifacts that `ftrun.api.artifacts` can read.

    Attributes:
        name: The name of the trainer.
        environment: The name of the environment of its stages.
        preview_module: A module that tokenizes rows for `ftrun preview`, run as a process in `environment`.
    """

    name: ClassVar[str]
    environment: ClassVar[str]
    preview_module: ClassVar[str | None]

    def names_file(self, key: str, value: Any) -> bool:
        """Return whether the value of a trainer key is the path of a file, so that ftrun makes it absolute.

        The trainer reads the file in `build_config`. ftrun does not call this method of a trainer that lacks it.
        """
        ...

    def build_config(self, recipe: Recipe) -> TrainerConfig:
        """Merge the trainer keys of a recipe. The hook `ftrun_check_recipe` of the plugin checks the result."""
        ...

    def adapter_layout(self, values: Mapping[str, Any]) -> AdapterLayout | None:
        """Return the properties of the adapter that these keys train. None if they train the whole model."""
        ...

    def uses_own_template(self, values: Mapping[str, Any]) -> bool:
        """Return whether chats are rendered with another template than that of the base model."""
        ...

    def rehearsal(self, values: Mapping[str, Any]) -> Iterable[Replacement]:
        """Return the replacements that make training with these keys small enough for a rehearsal on a CPU."""
        ...

    def schema(self) -> TrainerSchema | None:
        """Return the JSON Schemas of the keys of the trainer. None if any key is accepted."""
        ...
