"""What the verbs share: from overrides to a recipe, its backend and its plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ftrun.api.backends import Backend, Estimate
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import Store, default_store
from ftrun.api.stage_call import Plan, StageCall
from ftrun.execution.engine import make_backend
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import Plugins, plugins
from ftrun.recipe.load import Loaded, load
from ftrun.store.runs import all_runs


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
        return self.backend.cached(self.plan.calls)

    @property
    def missing(self) -> list[StageCall]:
        """The calls that have to run."""
        return [call for call in self.plan.calls if call.key not in self.cached]

    def check_access(self) -> None:
        """Asks, before anything runs, for what the calls need from outside. Raises `InvalidInput`."""
        problems = list(self._missing_secrets())
        for found in self.plugins.hook.ftrun_check_access(calls=self.missing, backend=self.backend):
            problems.extend(found)
        if problems:
            raise InvalidInput(problems)

    @cached_property
    def estimate(self) -> Estimate | None:
        """What the missing calls would cost, by the times of earlier runs of this recipe; None where nothing costs."""
        return self.backend.estimate(self.missing, _earlier_seconds(self.store, self.plan.recipe))

    def check_budget(self) -> None:
        """Raises `InvalidInput` where even the least that a run would cost is over the recipe's budget."""
        limit = self.loaded.recipe.budget.usd
        if limit is None or self.estimate is None or self.estimate.low <= limit:
            return
        problem = Problem(
            "over-budget",
            f"the run would cost at least ${self.estimate.low:.2f}, and the budget is ${limit:.2f}",
            at="budget.usd",
            hint="`ftrun plan` shows what each stage costs",
        )
        raise InvalidInput(problem)

    def _missing_secrets(self) -> Iterator[Problem]:
        for call in self.missing:
            for name in call.secrets:
                if not self.backend.has_secret(name):
                    what = f"{call.label} needs the secret `{name}`, and it is not there"
                    yield Problem("missing-secret", what, hint=self.backend.secret_advice(name))


def _earlier_seconds(store: Store, recipe: str) -> dict[str, float]:
    """How long each call took the last time that it ran, by label, whatever its parameters were."""
    found: dict[str, float] = {}
    for record in all_runs(store):
        if record.recipe == recipe:
            found.update({label: float(result["seconds"]) for label, result in record.results.items()})
    return found


def open_session(overrides: Sequence[str]) -> Session:
    """Raises `InvalidInput` where the recipe is wrong or something that it names is missing."""
    return plan_call_graph(load(overrides, plugins()))


def plan_call_graph(loaded: Loaded) -> Session:
    """Raises `InvalidInput` where something that the recipe names is missing."""
    store = default_store()
    backend = make_backend(loaded.recipe, plugins(), store)
    plan = make_plan(loaded.recipe, plugins(), backend)
    if not plan.calls:
        raise InvalidInput(Problem("nothing-to-do", "the recipe's stages have nothing to do", at="stages"))
    return Session(loaded, plugins(), store, backend, plan)
