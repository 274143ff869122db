"""Registers the stage `fetch` and its looks at the hub, before a run and by `ftrun doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ftrun import hookimpl
from ftrun.api.backends import Backend, DoctorCheck
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Recipe
from ftrun.api.stage_call import StageCall
from ftrun.api.stages import Stage
from ftrun_plugins.models.stage import Fetch, HubDatasetFiles, HubModel, Params


@hookimpl
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    register(Fetch)


@hookimpl
def ftrun_check_access(calls: Sequence[StageCall], backend: Backend) -> Iterable[Problem]:
    from ftrun_plugins.models.hub import ACCESS, check_access, token_here

    if token_here() is None and backend.has_secret(ACCESS):
        return []  # only the stages have the token: they will say what it may not read
    problems: list[Problem] = []
    for call in calls:
        what = Params.model_validate(call.params).what if call.stage == Fetch.name else None
        if isinstance(what, HubModel | HubDatasetFiles):
            try:
                check_access(what.repository, what.commit, "model" if isinstance(what, HubModel) else "dataset")
            except InvalidInput as error:
                problems.extend(error.problems)
    return problems


@hookimpl
def ftrun_doctor_checks(recipe: Recipe) -> Iterable[DoctorCheck]:
    from ftrun_plugins.models.doctor import checks

    return checks(recipe)
