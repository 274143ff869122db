"""Make the plan of a recipe: the graph of stage calls that its stages ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftrun.api.backends import Backend, Hardware
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.planner import CallRequest, StageIdentity
from ftrun.api.recipe import Recipe
from ftrun.api.secrets import redirecting_variable
from ftrun.api.stage_call import CLIENT, Component, EnvironmentRef, Plan, Ref, ResourceRequest, StageCall
from ftrun.api.trainers import Trainer, TrainerConfig
from ftrun.plugins.manager import Plugins
from ftrun.utils.code_digest import source_digest
from ftrun.utils.digests import FileDigests


class Planner:
    """The state of one plan. Implements `ftrun.api.planner.Planner`."""

    def __init__(self, recipe: Recipe, plugins: Plugins, backend: Backend, digests: FileDigests) -> None:
        self.recipe = recipe
        self.digests = digests
        self.calls: list[StageCall] = []
        self._plugins = plugins
        self._backend = backend

    @property
    def trainer(self) -> Trainer:
        return self._plugins.trainer(self.recipe)

    @property
    def trainer_config(self) -> TrainerConfig:
        return self._plugins.trainer_config(self.recipe)

    @property
    def cores(self) -> float:
        return self._backend.cores()

    @property
    def is_remote(self) -> bool:
        return self._backend.remote is not None

    def find(self, label: str) -> StageCall | None:
        return next((call for call in self.calls if call.label == label), None)

    def hardware(self, stage: str) -> Hardware:
        return self._backend.hardware(stage, self.recipe.resources_of(stage))

    def gpus(self, stage: str) -> int:
        return (self.recipe.resources_of(stage).gpus or 1) if self.hardware(stage).accelerator == "gpu" else 0

    def registered(self, kind: str, name: str) -> Any:
        return self._plugins.get(kind, name).cls

    def component(self, kind: str, name: str) -> Component:
        registered = self._plugins.get(kind, name)
        return Component(implementation=registered.implementation, source=source_digest(registered.cls))

    def call(self, stage: StageIdentity, request: CallRequest) -> StageCall:
        resources = self.recipe.resources_of(stage.name)
        environment = request.environment or stage.environment
        optional, notes = self._drop_redirected(request, environment)
        return StageCall(
            stage=stage.name,
            version=stage.version,
            label=request.label or stage.name,
            implementation=f"{type(stage).__module__}:{type(stage).__qualname__}",
            params=request.params.model_dump(mode="json"),
            settings=dict(request.settings),
            inputs={role: call.ref for role, call in request.inputs.items()},
            environment=self._environment(environment),
            components=dict(request.components),
            files={digest: str(path) for digest, path in request.files.items()},
            secrets=tuple(request.secrets),
            optional_secrets=optional,
            after=tuple(call.ref for call in request.after),
            preflight=request.preflight,
            notes=(*request.notes, *notes),
            work=ResourceRequest(
                cpu=resources.cpu or request.cpu,
                gpus=request.gpus,
                gpu=resources.kinds_of_gpu if request.gpus else (),
                memory=resources.memory,
                timeout=resources.timeout,
                retries=resources.retries,
                region=resources.regions,
                preloaded=request.preloaded,
            ),
        )

    def _drop_redirected(self, request: CallRequest, environment: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the optional secrets without those that a variable of the recipe would send elsewhere, and notes.

        Raises:
            InvalidInput: If the call requires such a secret.
        """
        declared = self.recipe.environment.get(environment)
        variables = declared.variables if declared else {}
        redirected = {
            secret: variable
            for secret in (*request.secrets, *request.optional_secrets)
            if (variable := redirecting_variable(secret, variables))
        }
        for secret in request.secrets:
            if variable := redirected.get(secret):
                what = (
                    f"the secret `{secret}` would go to {variables[variable]}, which your own {variable} does not name"
                )
                at = f"environment.{environment}.variables.{variable}"
                raise InvalidInput(
                    Problem("redirected-secret", what, at, hint=f"export {variable}=…, or remove the key")
                )
        optional = tuple(secret for secret in request.optional_secrets if secret not in redirected)
        notes = tuple(
            f"the secret `{secret}` is not used, because {variables[variable]} is not your own {variable}"
            for secret, variable in redirected.items()
        )
        return optional, notes

    def _environment(self, name: str) -> EnvironmentRef:
        if name == CLIENT:
            return EnvironmentRef(name=CLIENT)
        return EnvironmentRef(name=name, digest=self._backend.environment_digest(name))


def make_plan(recipe: Recipe, plugins: Plugins, backend: Backend) -> Plan:
    """Ask each stage of the recipe, in order, for its calls.

    Raises:
        InvalidInput: If something that a stage needs from outside is missing.
    """
    digests = FileDigests()
    planner = Planner(recipe, plugins, backend, digests)
    for name in recipe.stages:
        stage = plugins.get("stage", name).cls()
        planner.calls.extend(stage.plan(recipe, planner))
    digests.save()
    return Plan(recipe=recipe.name, calls=tuple(_distinct(planner.calls)))


def _distinct(calls: Sequence[StageCall]) -> list[StageCall]:
    """Keep the first of several calls with one key."""
    by_ref: dict[Ref, StageCall] = {}
    for call in calls:
        by_ref.setdefault(call.ref, call)
    return list(by_ref.values())
