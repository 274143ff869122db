"""Registers the backend `modal`, the check of its resources, and what `ftrun doctor` looks at for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ftrun import hookimpl
from ftrun.api.backends import Backend, DoctorCheck
from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe
from ftrun_plugins.modal.backend import ModalBackend
from ftrun_plugins.modal.gpus import check_resources


@hookimpl
def ftrun_register_backends(register: Callable[[type[Backend]], None]) -> None:
    register(ModalBackend)


@hookimpl
def ftrun_check_recipe(recipe: Recipe) -> Iterable[Issue]:
    return list(check_resources(recipe)) if recipe.backend.name == ModalBackend.name else []


@hookimpl
def ftrun_doctor_checks(recipe: Recipe) -> Iterable[DoctorCheck]:
    from ftrun_plugins.modal.client.doctor import checks

    return checks(recipe)
