"""The protocol of trainers: what other stages and commands need to know of the one that a recipe uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from ftrun.api.issues import Issue, KeyPath
from ftrun.api.recipe import Recipe

__all__ = ["AdapterLayout", "Replacement", "Trainer", "TrainerConfig", "TrainerSchema"]

LEFT_OUT = "left out"  # as the new value of a replacement: the key is removed


@dataclass(frozen=True)
class TrainerConfig:
    """The trainer keys of a recipe, merged.

    Args:
        values: The keys with their values. Plugins may change them in `ftrun_amend_trainer_config`.
        origins: For each key, the path in the recipe that it comes from.
        overridden: Notes on values of optimizations that `train` replaces.
        issues: Problems of the merge, such as two optimizations that disagree.
    """

    values: dict[str, Any]
    origins: Mapping[str, KeyPath] = field(default_factory=dict)
    overridden: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()

    def set_values(self) -> dict[str, Any]:
        """Return all keys but those that are null, which mean the same as absent keys."""
        return {key: value for key, value in self.values.items() if value is not None}


@dataclass(frozen=True)
class AdapterLayout:
    """The parts of an adapter, as far as an engine has to support them.

    Args:
        rank: The rank of the low-rank matrices and the key that sets it, if the configuration names one.
        whole_parts: Parts of the adapter that an engine cannot hold beside the base model, by the key that asks for
            them: "added tokens", "modules that are saved whole".
    """

    rank: tuple[str, int] | None = None
    whole_parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Replacement:
    """A value that a rehearsal replaces: `key` of the recipe had `old` and gets `new`, because of `why`.

    `how` holds the overrides that do it, if they are not `key=new`.
    """

    key: str
    old: Any
    new: Any
    why: str
    how: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainerSchema:
    """JSON Schemas of the trainer's keys: `definitions` by name, those of `train` and of `dataset.trainer` by name."""

    definitions: Mapping[str, dict[str, Any]]
    keys: str
    dataset_keys: str


class Trainer(Protocol):
    """A trainer: how it reads a recipe's keys. Its work is done by stages that its plugin registers.

    A recipe names its trainer under `trainer`. The trainer's stages label their calls `tokenize`, `train` and `merge`,
    and write artifacts that `ftrun.api.artifacts` can read. `environment` is the name of the environment of these stages.
    """

    name: ClassVar[str]
    environment: ClassVar[str]
    preview_module: ClassVar[str | None]  # run as a process in `environment`, it tokenizes rows for `ftrun preview`

    def build_config(self, recipe: Recipe) -> TrainerConfig:
        """Merge the trainer's keys of a recipe. Its hook `ftrun_check_recipe` checks the result."""
        ...

    def adapter_layout(self, values: Mapping[str, Any]) -> AdapterLayout | None:
        """Return the parts of the adapter that these keys train; None if they train the whole model."""
        ...

    def uses_own_template(self, values: Mapping[str, Any]) -> bool:
        """Return whether chats are rendered by another template than that of the base model."""
        ...

    def rehearsal(self, values: Mapping[str, Any]) -> Iterable[Replacement]:
        """Return what makes a training with these keys small enough for a rehearsal on a CPU."""
        ...

    def schema(self) -> TrainerSchema | None:
        """Return the JSON Schemas of the trainer's keys; None if any key is accepted."""
        ...
