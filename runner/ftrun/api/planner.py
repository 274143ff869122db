"""Protocol of the planner, and the request with which a stage plans a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from ftrun.api.backends import Hardware
from ftrun.api.recipe import Recipe
from ftrun.api.stage_call import Component, StageCall
from ftrun.api.trainers import Trainer, TrainerConfig
from ftrun.utils.digests import FileDigests

__all__ = ["CallRequest", "Planner", "StageIdentity"]


@dataclass(frozen=True)
class CallRequest:
    """Request of a stage for a stage call.

    Args:
        params: The parameters. They are part of the key of the call.
        settings: The settings of the call. They cannot change its result, and are not part of the key.
        label: The name of the call in a run, such as `generate:base`. Default: the name of the stage.
        inputs: Other calls whose artifacts the call reads, by role.
        after: Other calls that must succeed first. They are not part of the key.
        environment: The environment, if it is not that of the stage.
        components: Sources, formatters and evaluators that the call uses, by role. Their code is part of the key.
        files: Paths on the client of the files that the call reads, by the digest of their content.
        secrets: Names of the secrets that the call needs.
        optional_secrets: Names of the secrets that the call uses if they are set.
        notes: Remarks that `ftrun plan` shows.
        cpu: The number of cores that the call keeps busy, unless the recipe sets `resources.STAGE.cpu`.
        gpus: The number of GPUs that the call uses.
        preloaded: True if the call may be forked from a process that has imported the `preload` modules of the
            environment. Such a process is offline.
        preflight: True if the call only checks the recipe. `ftrun plan` runs it if it can run on this machine.
    """

    params: BaseModel
    settings: Mapping[str, Any] = field(default_factory=dict)
    label: str | None = None
    inputs: Mapping[str, StageCall] = field(default_factory=dict)
    after: Sequence[StageCall] = ()
    environment: str | None = None
    components: Mapping[str, Component] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    secrets: Sequence[str] = ()
    optional_secrets: Sequence[str] = ()
    notes: Sequence[str] = ()
    cpu: float = 1.0
    gpus: int = 0
    preloaded: bool = False
    preflight: bool = False


class StageIdentity(Protocol):
    """Attributes of a stage that the planner reads."""

    name: ClassVar[str]
    version: ClassVar[int]
    environment: ClassVar[str]


class Planner(Protocol):
    """State of one plan: the calls planned so far, and the facts that a stage needs to plan its calls."""

    @property
    def recipe(self) -> Recipe:
        """Recipe that is planned."""
        ...

    @property
    def digests(self) -> FileDigests:
        """Digests of files and folders on the client, cached between plans."""
        ...

    @property
    def trainer(self) -> Trainer:
        """Trainer of the recipe."""
        ...

    @property
    def trainer_config(self) -> TrainerConfig:
        """Merged trainer keys of the recipe, built once per plan."""
        ...

    @property
    def cores(self) -> float:
        """Number of cores of the machine that runs the stages, for stages that use all of them."""
        ...

    @property
    def is_remote(self) -> bool:
        """True if stages run on another machine than the client."""
        ...

    def find(self, label: str) -> StageCall | None:
        """Return the call with a label such as `fetch:model`. None if no stage planned it."""
        ...

    def hardware(self, stage: str) -> Hardware:
        """Return the hardware of a stage."""
        ...

    def gpus(self, stage: str) -> int:
        """Return the number of GPUs of a stage: 0 without an accelerator, else at least 1."""
        ...

    def registered(self, kind: str, name: str) -> Any:
        """Return the class that is registered under a name. `kind` is `source`, `formatter` or `evaluator`.

        Raises:
            InvalidInput: If no class has this name.
        """
        ...

    def component(self, kind: str, name: str) -> Component:
        """Return a source, formatter or evaluator with a digest of its code, for `CallRequest.components`."""
        ...

    def call(self, stage: StageIdentity, request: CallRequest) -> StageCall:
        """Return the call of `stage`, with the digest of its environment and the resources from the recipe."""
        ...
