"""Hooks of the backend `modal`: the backend, the check of its resources, and its checks in `ftrun doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ftrun.api.backends import Backend
    from ftrun.api.commands import LazyCommand
    from ftrun.api.doctor import DoctorCheck
    from ftrun.api.issues import Issue
    from ftrun.api.recipe import Recipe


@hookimpl
def ftrun_register_backends(register: Callable[[type[Backend]], None]) -> None:
    from ftrun_plugins.modal.backend import ModalBackend

    register(ModalBackend)


@hookimpl
def ftrun_check_recipe(recipe: Recipe) -> Iterable[Issue]:
    from ftrun_plugins.modal.backend import ModalBackend
    from ftrun_plugins.modal.gpus import check_resources

    return list(check_resources(recipe)) if recipe.backend.name == ModalBackend.name else []


@hookimpl
def ftrun_doctor_checks(recipe: Recipe) -> Iterable[DoctorCheck]:
    from ftrun_plugins.modal.client.doctor import checks

    return checks(recipe)


@hookimpl
def ftrun_register_commands(register: Callable[[LazyCommand], None]) -> None:
    from ftrun.api.commands import LazyCommand

    register(
        LazyCommand(
            "deploy", "ftrun_plugins.modal.commands:deploy", "Deploy to Modal before a run; --prune stops old apps."
        )
    )
