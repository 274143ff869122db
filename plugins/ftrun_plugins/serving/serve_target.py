"""Lookup of the run to serve, of its models and of the machine that serves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftrun.api.backends import Backend
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import MANIFEST, RunFolder, Store, default_store
from ftrun.api.recipe import SERVER, Recipe
from ftrun.api.recipe import Backend as BackendName
from ftrun.api.remote import Remote
from ftrun.api.serving_spec import Serving
from ftrun.api.stage_call import Ref
from ftrun.cli.envs import declared_environments
from ftrun.cli.run_lookup import find_run, remote_of
from ftrun.execution.engine import make_backend
from ftrun.plugins.manager import plugins
from ftrun.recipe.run_overrides import apply_overrides
from ftrun.store import runs
from ftrun.store.artifacts import find, reader
from ftrun.store.input_check import check_artifacts
from ftrun.store.run_plan import read_plan, read_recipe
from ftrun.workflow.consent import require_recorded_consent
from ftrun_plugins.serving.run_for_recipe import find_run_for
from ftrun_plugins.serving.serving_plan import plan_serving
from ftrun_plugins.serving.vllm_support import vllm_obstacle

CHANGEABLE = (("serve",), ("resources", SERVER))  # sections of the recipe that overrides may change


@dataclass(frozen=True)
class ServeTarget:
    """A finished run and the machine that serves it: `remote`, or this machine if `remote` is None.

    `to_push` are the models that have to be copied to `remote` first. They are those of a run of this machine.
    """

    store: Store
    folder: RunFolder
    recipe: Recipe
    backend: Backend
    remote: Remote | None
    serving: Serving
    to_push: tuple[Ref, ...] = ()

    @classmethod
    def find(cls, run: str, overrides: Sequence[str] = (), trust: bool = False) -> ServeTarget:
        """Return the run, with overrides for its server.

        Args:
            run: Id of a run, or `recipe=NAME` for the newest run that made the models of that recipe.
            overrides: Changes of the recipe's sections `serve` and `resources.serve`, and `backend=NAME`.
            trust: Consent to the code and the hosts that the recipe names.

        Raises:
            InvalidInput: If there is no such run, it is not finished, it has nothing to serve, or an override is wrong.
        """
        store, requested = default_store(), None
        backend_name, overrides = _split_backend(overrides)
        if run.startswith("recipe="):
            run, requested = find_run_for((run, *overrides), trust)
        folder = find_run(store, run)
        if runs.load(folder).status in runs.OPEN:
            raise InvalidInput(
                Problem("run-active", f"the run {folder.id} is not finished", hint=f"ftrun logs -f {folder.id}")
            )
        require_recorded_consent(folder, plugins(), trust)
        recipe = requested or apply_overrides(read_recipe(folder), overrides, CHANGEABLE, plugins())
        # the environments of servers may be newer than the run, or their locks may have moved
        known = {name: env for name, env in recipe.environment.items() if env.lock is None or env.lock.exists()}
        recipe = recipe.model_copy(update={"environment": {**declared_environments(), **known}})
        home = remote_of(store, folder)
        if backend_name and backend_name != recipe.backend.name:
            if home is not None:
                what = f"{folder.id} ran on {recipe.backend.name} and can only be served there"
                raise InvalidInput(
                    Problem("invalid-override", what, f"override backend={backend_name}", hint="remove the override")
                )
            recipe = recipe.model_copy(update={"backend": BackendName(name=backend_name)})
        backend = make_backend(recipe, plugins(), store)
        remote = backend.remote if home is not None or backend_name else None

        read = reader(store) if home is None else home.read

        def has(ref: Ref) -> bool:
            return read(ref, MANIFEST) is not None if home is not None else find(store, ref) is not None

        template = plugins().trainer_config(recipe).template
        obstacle = _engine_obstacle(recipe, remote)
        serving = plan_serving(folder.id, recipe, read_plan(folder), read, has, obstacle, template)
        if home is None and (damaged := check_artifacts(store, serving.models)):
            raise InvalidInput(damaged)
        to_push = tuple(serving.models) if home is None and remote is not None else ()
        return cls(store, folder, recipe, backend, remote, serving, to_push)


def _split_backend(overrides: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the name of the backend in the overrides, and the other overrides."""
    names = [override.partition("=")[2] for override in overrides if override.startswith("backend=")]
    return names[-1] if names else None, [override for override in overrides if not override.startswith("backend=")]


def _engine_obstacle(recipe: Recipe, remote: Remote | None) -> str | None:
    if recipe.serve.engine == "transformers":
        return "the recipe has serve.engine=transformers"
    return vllm_obstacle() if remote is None else None
