"""What a stage's `plan` works with: the calls planned so far, digests, hardware, and a builder of calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from ftrun.api.backends import Backend, Hardware
from ftrun.api.recipe import Recipe
from ftrun.api.stage_call import CLIENT, Component, EnvironmentRef, Plan, Ref, ResourceRequest, StageCall
from ftrun.api.stages import Stage
from ftrun.plugins.manager import Plugins
from ftrun.utils.digests import FileDigests, source_digest


class Planner:
    """The state of one plan in the making."""

    def __init__(self, recipe: Recipe, plugins: Plugins, backend: Backend, digests: FileDigests) -> None:
        self.recipe = recipe
        self.plugins = plugins
        self.backend = backend
        self.digests = digests
        self.calls: list[StageCall] = []

    def all(self, stage: str) -> list[StageCall]:
        """The calls planned so far for a stage."""
        return [call for call in self.calls if call.stage == stage]

    def find(self, label: str) -> StageCall | None:
        """The call with a label such as `fetch:model`, or None where the recipe has no such stage."""
        return next((call for call in self.calls if call.label == label), None)

    @property
    def cores(self) -> float:
        """All cores of the machine that stages run on: for stages that keep them busy."""
        return self.backend.cores()

    def hardware(self, stage: str) -> Hardware:
        return self.backend.hardware(stage, self.recipe.resources_of(stage))

    def component(self, kind: str, name: str) -> Component:
        """A source, formatter or evaluator, with the digest of its code."""
        registered = self.plugins.get(kind, name)
        return Component(implementation=registered.implementation, source=source_digest(registered.cls))

    def call(
        self,
        stage: Stage,
        params: BaseModel,
        *,
        label: str | None = None,
        inputs: Mapping[str, StageCall] | None = None,
        environment: str | None = None,
        components: Mapping[str, Component] | None = None,
        files: Mapping[str, Path] | None = None,
        secrets: Sequence[str] = (),
        optional_secrets: Sequence[str] = (),
        notes: Sequence[str] = (),
        cpu: float = 1.0,
        gpus: int = 0,
        preloaded: bool = False,
    ) -> StageCall:
        """Return a call of `stage`; its environment's digest and its time-out are filled in.

        `preloaded` lets it start in a process that has imported the environment's `preload` modules and is offline:
        for stages that download nothing.
        """
        name = environment or stage.environment
        resources = self.recipe.resources_of(stage.name)
        return StageCall(
            stage=stage.name,
            version=stage.version,
            label=label or stage.name,
            implementation=f"{type(stage).__module__}:{type(stage).__qualname__}",
            params=params.model_dump(mode="json"),
            inputs={role: call.ref for role, call in (inputs or {}).items()},
            environment=self._environment(name),
            components=dict(components or {}),
            files={digest: str(path) for digest, path in (files or {}).items()},
            secrets=tuple(secrets),
            optional_secrets=tuple(optional_secrets),
            notes=tuple(notes),
            work=ResourceRequest(
                cpu=resources.cpu or cpu,
                gpus=gpus,
                gpu=resources.kinds_of_gpu if gpus else (),
                memory=resources.memory,
                timeout=resources.timeout,
                retries=resources.retries,
                region=resources.regions,
                preloaded=preloaded,
            ),
        )

    def _environment(self, name: str) -> EnvironmentRef:
        if name == CLIENT:
            return EnvironmentRef(name=CLIENT)
        return EnvironmentRef(name=name, digest=self.backend.environment_digest(name))


def make_plan(recipe: Recipe, plugins: Plugins, backend: Backend) -> Plan:
    """Asks each stage of the recipe, in order, for its calls.

    Raises:
        InvalidInput: where a stage finds that what it needs from outside is missing.
    """
    digests = FileDigests()
    planning = Planner(recipe, plugins, backend, digests)
    for name in recipe.stages:
        stage = plugins.get("stage", name).cls()
        planning.calls.extend(stage.plan(recipe, planning))
    digests.save()
    return Plan(recipe=recipe.name, calls=tuple(_first_of_each(planning.calls)))


def _first_of_each(calls: Sequence[StageCall]) -> list[StageCall]:
    """Two calls with one key are one call."""
    found: dict[Ref, StageCall] = {}
    for call in calls:
        found.setdefault(call.ref, call)
    return list(found.values())
