"""Stage calls: a stage with parameters, inputs and an environment, and the key that is computed from them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field

from ftrun.api.recipe import Frozen
from ftrun.api.stored_files import SCHEMA_VERSION
from ftrun.utils.digests import digest

__all__ = ["CLIENT", "KEY_LENGTH", "Component", "EnvironmentRef", "Plan", "Ref", "ResourceRequest", "StageCall"]

CLIENT = "client"  # name of the environment of ftrun itself
KEY_LENGTH = 32  # hexadecimal digits; 128 bits exclude accidental collisions


class Ref(Frozen):
    """Reference to an artifact by its stage and key."""

    stage: str
    key: str

    def __str__(self) -> str:
        return f"{self.stage}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Parse the text that `str` returns for a reference."""
        stage, _, key = text.rpartition("/")
        return cls(stage=stage, key=key)


class EnvironmentRef(Frozen):
    """Environment of a call. That of the client has no digest, because the key contains the code of the components."""

    name: str
    digest: str = ""


class Component(Frozen):
    """Source, formatter or evaluator that a call uses.

    Args:
        implementation: The class, as `module:Class`.
        source: A digest of its code.
    """

    implementation: str
    source: str


class ResourceRequest(Frozen):
    """Resources that a call needs while it runs. They cannot change its result, so they are not part of its key.

    Args:
        cpu: The number of cores that the call keeps busy.
        gpus: The number of GPUs.
        gpu: Kinds of GPU in order of preference, for a backend that offers a choice.
        memory: Memory in GB.
        timeout: Maximum run time in seconds.
        retries: The number of retries after a crash. None: the setting of the backend.
        region: Regions in which the call may run. Empty: any region.
        preloaded: True if the call may be forked from a process that has imported the `preload` modules of the
            environment. Such a process is offline.
    """

    cpu: float = 1.0
    gpus: int = 0
    gpu: tuple[str, ...] = ()
    memory: float | None = None
    timeout: int | None = None
    retries: int | None = None
    region: tuple[str, ...] = ()
    preloaded: bool = False


class StageCall(Frozen):
    """Stage with everything that can change its output. The key is a digest of the fields from `stage` to `components`.

    Args:
        stage: The name of the stage.
        version: The version of the code of the stage.
        params: The parameters.
        inputs: The artifacts that the call reads, by role.
        environment: The environment. Its digest is part of the key, its name is not.
        components: Sources, formatters and evaluators. The digests of their code are part of the key.
        label: The name of the call in a run, such as `generate:base`.
        implementation: The class of the stage, as `module:Class`.
        settings: Values that cannot change the result, such as how often the stage saves.
        files: Paths on this machine, or URLs, of the input files by digest.
        secrets: Names of the secrets (`ftrun.api.secrets`) that the stage needs.
        optional_secrets: Names of the secrets that the stage uses if they are set.
        after: Artifacts of other calls that must exist before the call starts, although it does not read them.
        preflight: True if the call only checks the recipe. `ftrun plan` runs it if it can run on this machine.
        notes: Replaced values and automatic choices, which `ftrun plan` shows.
        work: Resources that the call needs while it runs.
    """

    stage: str
    version: int
    params: dict[str, Any]
    inputs: dict[str, Ref] = {}
    environment: EnvironmentRef
    components: dict[str, Component] = {}

    # The following fields are not part of the key.
    label: str
    implementation: str
    settings: dict[str, Any] = {}
    files: dict[str, str] = {}
    secrets: tuple[str, ...] = ()
    optional_secrets: tuple[str, ...] = ()
    after: tuple[Ref, ...] = ()
    preflight: bool = False
    notes: tuple[str, ...] = ()
    work: ResourceRequest = Field(default_factory=ResourceRequest)

    @property
    def local_files(self) -> dict[str, Path]:
        """Paths of the input files on this machine by digest. Files to download are left out."""
        return {
            digest: Path(place) for digest, place in self.files.items() if not place.startswith(("http://", "https://"))
        }

    @cached_property
    def identity(self) -> dict[str, Any]:
        """JSON value from which the key is computed. `ftrun plan` compares it to explain why a call is not cached."""
        return {
            "stage": self.stage,
            "version": self.version,
            "params": self.params,
            "inputs": {role: str(ref) for role, ref in self.inputs.items()},
            "environment": self.environment.digest,
            "components": {name: component.source for name, component in self.components.items()},
        }

    @cached_property
    def key(self) -> str:
        """Content address of the call: a digest of everything that can change its output."""
        return digest(self.identity)[:KEY_LENGTH]

    @property
    def requirements(self) -> frozenset[Ref]:
        """Artifacts that must exist before the call starts."""
        return frozenset((*self.inputs.values(), *self.after))

    @property
    def ref(self) -> Ref:
        """Reference to the artifact of the call."""
        return Ref(stage=self.stage, key=self.key)


class Plan(Frozen):
    """Graph of the stage calls of a recipe. Each call comes after its requirements."""

    schema_version: int = SCHEMA_VERSION
    recipe: str
    calls: tuple[StageCall, ...]

    def call(self, ref: Ref) -> StageCall:
        """Return the call that produces an artifact."""
        return next(call for call in self.calls if call.ref == ref)
