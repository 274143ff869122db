"""What the verbs share: from overrides to a recipe, its backend and its plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ftrun.contracts import Backend
from ftrun.errors import Problem, Refused
from ftrun.execute.run import make_backend
from ftrun.plan.call import Plan
from ftrun.plan.planning import make_plan
from ftrun.plugins import Plugins, plugins
from ftrun.recipe.load import Loaded, load
from ftrun.store.artifacts import find
from ftrun.store.layout import Store, default_store


@dataclass(frozen=True)
class Session:
    """One recipe on one store, planned."""

    loaded: Loaded
    plugins: Plugins
    store: Store
    backend: Backend
    plan: Plan

    @cached_property
    def cached(self) -> set[str]:
        """Keys of the calls whose artifacts are there, at the first look."""
        return {call.key for call in self.plan.calls if find(self.store, call.ref)}

    def check_access(self) -> None:
        """Asks, before anything runs, for what the calls need from outside. Raises `Refused`."""
        missing = [call for call in self.plan.calls if call.key not in self.cached]
        problems = [problem for found in self.plugins.hook.ftrun_check_access(calls=missing) for problem in found]
        if problems:
            raise Refused(problems)


def open_session(overrides: Sequence[str]) -> Session:
    """Raises `Refused` where the recipe is wrong or something that it names is missing."""
    loaded = load(overrides, plugins())
    store = default_store()
    backend = make_backend(loaded.recipe, plugins(), store)
    plan = make_plan(loaded.recipe, plugins(), backend)
    if not plan.calls:
        raise Refused(Problem("the recipe's stages have nothing to do", where="stages"))
    return Session(loaded, plugins(), store, backend, plan)
