"""The run that is to be served: found by its id, with what of it is served and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftrun.api.backends import Backend, Remote
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import MANIFEST, RunFolder, Store, default_store
from ftrun.api.recipe import SERVER, Recipe
from ftrun.api.recipe import Backend as BackendName
from ftrun.api.serving_spec import Serving
from ftrun.api.stage_call import Ref
from ftrun.cli.envs import declared_environments
from ftrun.cli.run_lookup import find_run, remote_of
from ftrun.execution.engine import make_backend, read_plan, read_recipe
from ftrun.plugins.manager import plugins
from ftrun.recipe.run_overrides import apply_overrides
from ftrun.store import runs
from ftrun.store.artifacts import find, reader
from ftrun_plugins.serving.run_for_recipe import find_run_for
from ftrun_plugins.serving.serving_plan import choose
from ftrun_plugins.serving.vllm_support import vllm_obstacle

CHANGEABLE = (("serve",), ("resources", SERVER))  # sections of the recipe, for one server


@dataclass(frozen=True)
class ServeTarget:
    """A run that is over; `remote` is where it is served, None for this machine.

    Its models are there already, but for those of a run of this machine: then they are `to_push` first.
    """

    store: Store
    folder: RunFolder
    recipe: Recipe
    backend: Backend
    remote: Remote | None
    serving: Serving
    to_push: tuple[Ref, ...] = ()

    @classmethod
    def of(cls, run: str, overrides: Sequence[str] = ()) -> ServeTarget:
        """The run with other values for its server; `recipe=NAME` is the run that made what that recipe asks for.

        Raises:
            InvalidInput: there is no such run, it is not over, it has nothing to serve, or the overrides are wrong.
        """
        store, asked = default_store(), None
        elsewhere, overrides = _backend(overrides)
        if run.startswith("recipe="):
            run, asked = find_run_for((run, *overrides))
        folder = find_run(store, run)
        if runs.load(folder).status in runs.OPEN:
            raise InvalidInput(
                Problem("run-active", f"the run {folder.id} is not over yet", hint=f"ftrun logs -f {folder.id}")
            )
        recipe = asked or apply_overrides(read_recipe(folder), overrides, CHANGEABLE, plugins())
        # runs know the environments that they were made with; those that serve may have come later, or moved
        known = {name: one for name, one in recipe.environment.items() if one.lock is None or one.lock.exists()}
        recipe = recipe.model_copy(update={"environment": {**declared_environments(), **known}})
        home = remote_of(store, folder)
        if elsewhere and elsewhere != recipe.backend.name:
            if home is not None:
                what = f"{folder.id} ran on {recipe.backend.name}, and can only be served there"
                raise InvalidInput(
                    Problem("invalid-override", what, f"override backend={elsewhere}", hint="leave it out")
                )
            recipe = recipe.model_copy(update={"backend": BackendName(name=elsewhere)})
        backend = make_backend(recipe, plugins(), store)
        remote = backend.remote if home is not None or elsewhere else None

        read = reader(store) if home is None else home.read

        def has(ref: Ref) -> bool:
            return read(ref, MANIFEST) is not None if home is not None else find(store, ref) is not None

        serving = choose(folder.id, recipe, read_plan(folder), read, has, _why_no_vllm(recipe, remote))
        to_push = tuple(serving.models) if home is None and remote is not None else ()
        return cls(store, folder, recipe, backend, remote, serving, to_push)


def _backend(overrides: Sequence[str]) -> tuple[str | None, list[str]]:
    """The backend that overrides name, and the other overrides."""
    named = [override.partition("=")[2] for override in overrides if override.startswith("backend=")]
    return named[-1] if named else None, [one for one in overrides if not one.startswith("backend=")]


def _why_no_vllm(recipe: Recipe, remote: Remote | None) -> str | None:
    if recipe.serve.engine == "transformers":
        return "the recipe says serve.engine=transformers"
    return vllm_obstacle() if remote is None else None
