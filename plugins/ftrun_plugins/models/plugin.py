"""Hooks of the stage `fetch`: registration, access checks and checks of `ftrun doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ftrun.api.backends import Backend
    from ftrun.api.consent import ConsentItem
    from ftrun.api.doctor import DoctorCheck
    from ftrun.api.errors import Problem
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall
    from ftrun.api.stages import Stage


@hookimpl
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    from ftrun_plugins.models.stage import Fetch

    register(Fetch)


@hookimpl
def ftrun_check_access(calls: Sequence[StageCall], backend: Backend) -> Iterable[Problem]:
    from ftrun.api.errors import InvalidInput
    from ftrun_plugins.models.hub import ACCESS, check_access, get_token
    from ftrun_plugins.models.params import HubDatasetFiles, HubModel, Params
    from ftrun_plugins.models.stage import Fetch

    fetched = [Params.model_validate(call.params).what for call in calls if call.stage == Fetch.name]
    repositories = [what for what in fetched if isinstance(what, HubModel | HubDatasetFiles)]
    if repositories and get_token() is None and backend.has_secret(ACCESS):
        return []  # only the stages have the token; they report missing access
    problems: list[Problem] = []
    for what in repositories:
        try:
            check_access(what.repository, what.commit, "model" if isinstance(what, HubModel) else "dataset")
        except InvalidInput as error:
            problems.extend(error.problems)
    return problems


@hookimpl
def ftrun_consent_items(recipe: Recipe) -> Iterable[ConsentItem]:
    from ftrun_plugins.models.model_code import find_items

    return list(find_items(recipe))


@hookimpl
def ftrun_doctor_checks(recipe: Recipe) -> Iterable[DoctorCheck]:
    from ftrun_plugins.models.doctor import checks

    return checks(recipe)
