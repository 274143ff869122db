"""A recipe composed from overrides, with its backend and its plan."""

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
from ftrun.workflow.consent import require_consent


@dataclass(frozen=True)
class Session:
    """A planned recipe with its backend and store."""

    loaded: Loaded
    plugins: Plugins
    store: Store
    backend: Backend
    plan: Plan

    @cached_property
    def cached(self) -> set[str]:
        """Keys of the calls whose artifacts existed when this was first read."""
        return self.backend.cached(self.plan.calls)

    @property
    def missing(self) -> list[StageCall]:
        """The calls that have to run."""
        return [call for call in self.plan.calls if call.key not in self.cached]

    def check_access(self) -> None:
        """Check, before anything runs, that secrets and other external resources of the calls are available.

        Raises:
            InvalidInput: If something is not available.
        """
        problems = list(self._find_missing_secrets())
        for group in self.plugins.hook.ftrun_check_access(calls=self.missing, backend=self.backend):
            problems.extend(group)
        if problems:
            raise InvalidInput(problems)

    @cached_property
    def estimate(self) -> Estimate | None:
        """Estimated cost of the missing calls, from the times of earlier runs of this recipe; None if they are free."""
        return self.backend.estimate(self.missing, _read_durations(self.store, self.plan.recipe))

    def check_budget(self) -> None:
        """Check the estimated cost against the budget of the recipe.

        Raises:
            InvalidInput: If even the lowest estimate is over the budget.
        """
        limit = self.loaded.recipe.budget.usd
        if limit is None or self.estimate is None or self.estimate.low <= limit:
            return
        problem = Problem(
            "over-budget",
            f"the run would cost at least ${self.estimate.low:.2f}, but the budget is ${limit:.2f}",
            at="budget.usd",
            hint="`ftrun plan` shows the cost of each stage",
        )
        raise InvalidInput(problem)

    def _find_missing_secrets(self) -> Iterator[Problem]:
        for call in self.missing:
            for name in call.secrets:
                if not self.backend.has_secret(name):
                    what = f"{call.label} needs the secret `{name}`, which is missing"
                    yield Problem("missing-secret", what, hint=self.backend.secret_advice(name))


def _read_durations(store: Store, recipe: str) -> dict[str, float]:
    """Return the seconds of the last execution of each call of a recipe, by label. Parameters may have differed."""
    seconds: dict[str, float] = {}
    for record in all_runs(store):
        if record.recipe == recipe:
            seconds.update({label: result["seconds"] for label, result in record.results.items()})
    return seconds


def open_session(overrides: Sequence[str], trust: bool = False) -> Session:
    """Load a recipe from overrides and plan it.

    Raises:
        InvalidInput: If the recipe is wrong, if something that it names does not exist, or if it needs the consent of
            the user, which `trust` gives.
    """
    return plan_call_graph(load(overrides, plugins()), trust)


def plan_call_graph(loaded: Loaded, trust: bool = False) -> Session:
    """Plan a loaded recipe.

    Raises:
        InvalidInput: If something that the recipe names does not exist, if there is nothing to do, or if consent is
            missing.
    """
    require_consent(loaded, plugins(), trust)
    store = default_store()
    backend = make_backend(loaded.recipe, plugins(), store)
    plan = make_plan(loaded.recipe, plugins(), backend)
    if not plan.calls:
        raise InvalidInput(Problem("nothing-to-do", "the recipe's stages have nothing to do", at="stages"))
    return Session(loaded, plugins(), store, backend, plan)
