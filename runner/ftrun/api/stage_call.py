"""A stage call: one stage with its parameters, inputs and environment, and the key that they make."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field

from ftrun.api.recipe import Frozen
from ftrun.utils.digests import digest

CLIENT = "client"  # the environment that ftrun itself runs in
KEY_LENGTH = 32  # hexadecimal digits: 128 bits, far beyond accidental collisions


class Ref(Frozen):
    """Names an artifact: a stage and a key."""

    stage: str
    key: str

    def __str__(self) -> str:
        return f"{self.stage}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Of what `str` gives."""
        stage, _, key = text.rpartition("/")
        return cls(stage=stage, key=key)


class EnvironmentRef(Frozen):
    """The environment a call runs in. The client's has no digest: the code of its parts is in the key instead."""

    name: str
    digest: str = ""


class Component(Frozen):
    """A source, formatter or evaluator that a call uses: where its class is, and a digest of its code."""

    implementation: str  # `module:Class`
    source: str


class ResourceRequest(Frozen):
    """What a call needs while it runs; nothing here can change its result, so nothing here is in its key."""

    cpu: float = 1.0  # cores it keeps busy
    gpus: int = 0
    gpu: tuple[str, ...] = ()  # kinds of GPU in order of preference, where the backend lets one choose
    memory: float | None = None  # GB
    timeout: int | None = None  # seconds
    retries: int | None = None  # of a crash; null: what the backend does
    region: tuple[str, ...] = ()
    preloaded: bool = False  # may be forked from a process that has imported its environment's `preload`, offline


class StageCall(Frozen):
    """One stage with all that can influence its output. `key` digests those fields and no others."""

    stage: str
    version: int
    params: dict[str, Any]
    inputs: dict[str, Ref] = {}
    environment: EnvironmentRef
    components: dict[str, Component] = {}

    # Known beside the key: where things are found here, how the call is shown, what it may use.
    label: str
    implementation: str  # `module:Class` of the stage
    files: dict[str, str] = {}  # digest of an outside file -> its path on this machine
    secrets: tuple[str, ...] = ()  # names of secrets (`ftrun.api.secrets`) that the stage cannot do without
    optional_secrets: tuple[str, ...] = ()  # and of those that it takes where they are
    notes: tuple[str, ...] = ()  # what was replaced or decided for the user, shown by `plan`
    work: ResourceRequest = Field(default_factory=ResourceRequest)

    @property
    def local_files(self) -> dict[str, Path]:
        """Outside files by digest, without those that are addresses."""
        return {
            digest: Path(place) for digest, place in self.files.items() if not place.startswith(("http://", "https://"))
        }

    @cached_property
    def identity(self) -> dict[str, Any]:
        """All that the key digests, as a JSON value: also what `plan` compares to say why a call is not cached."""
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
        return digest(self.identity)[:KEY_LENGTH]

    @property
    def ref(self) -> Ref:
        return Ref(stage=self.stage, key=self.key)


class Plan(Frozen):
    """The graph of stage calls that a recipe asks for; every call comes after its inputs."""

    recipe: str
    calls: tuple[StageCall, ...]

    def call(self, ref: Ref) -> StageCall:
        return next(call for call in self.calls if call.ref == ref)
