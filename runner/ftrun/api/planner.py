"""The planner, as stages see it, and the request for a stage call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel

from ftrun.api.backends import Hardware
from ftrun.api.recipe import Recipe
from ftrun.api.stage_call import Component, StageCall
from ftrun.api.trainers import Trainer, TrainerConfig
from ftrun.utils.digests import FileDigests

if TYPE_CHECKING:
    from ftrun.api.stages import Stage

__all__ = ["CallRequest", "Planner"]


@dataclass(frozen=True)
class CallRequest:
    """A stage call that a stage asks the planner for.

    Args:
        params: The parameters. They are in the key of the call.
        label: The name of the call in a run, such as `generate:base`; by default the name of the stage.
        inputs: Other calls whose artifacts it reads, by role.
        environment: The environment, if it is not that of the stage.
        components: Sources, formatters and evaluators that it uses, by role. Their code is in the key.
        files: Files of the client that it reads, by the digest of their content.
        secrets: Names of secrets that it needs.
        optional_secrets: Names of secrets that it uses if they are set.
        notes: Remarks for `ftrun plan`.
        cpu: Cores that it keeps busy, unless the recipe sets `resources.STAGE.cpu`.
        gpus: GPUs that it uses.
        preloaded: Whether it may start in a process that has imported the environment's `preload` modules. Such a process
            is offline.
    """

    params: BaseModel
    label: str | None = None
    inputs: Mapping[str, StageCall] = field(default_factory=dict)
    environment: str | None = None
    components: Mapping[str, Component] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    secrets: Sequence[str] = ()
    optional_secrets: Sequence[str] = ()
    notes: Sequence[str] = ()
    cpu: float = 1.0
    gpus: int = 0
    preloaded: bool = False


class Planner(Protocol):
    """The state of one plan: the calls planned so far, and what a stage needs to plan its own."""

    @property
    def recipe(self) -> Recipe: ...

    @property
    def digests(self) -> FileDigests:
        """Digests of files and folders of the client, remembered between plans."""
        ...

    @property
    def trainer(self) -> Trainer:
        """The trainer of the recipe."""
        ...

    @property
    def trainer_config(self) -> TrainerConfig:
        """The trainer keys of the recipe, built once."""
        ...

    @property
    def cores(self) -> float:
        """All cores of the machine that stages run on: for stages that keep them busy."""
        ...

    @property
    def is_remote(self) -> bool:
        """True if stages run on another machine than the client."""
        ...

    def find(self, label: str) -> StageCall | None:
        """Return the call with a label such as `fetch:model`; None if no stage planned it."""
        ...

    def hardware(self, stage: str) -> Hardware:
        """Return the hardware that a stage will run on."""
        ...

    def gpus(self, stage: str) -> int:
        """Return the number of GPUs that a stage gets: 0 without an accelerator, else at least 1."""
        ...

    def registered(self, kind: str, name: str) -> Any:
        """Return the class that is registered as a `source`, `formatter` or `evaluator`. Raises InvalidInput."""
        ...

    def component(self, kind: str, name: str) -> Component:
        """Return a source, formatter or evaluator with the digest of its code, for `CallRequest.components`."""
        ...

    def call(self, stage: Stage, request: CallRequest) -> StageCall:
        """Return a call of `stage`, with the digest of its environment and the resources of the recipe."""
        ...
