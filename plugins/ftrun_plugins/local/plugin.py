"""Registers the backend `local` and what `ftrun doctor` looks at for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ftrun import hookimpl
from ftrun.api.backends import Backend, DoctorCheck
from ftrun.api.recipe import Recipe
from ftrun_plugins.local.backend import LocalBackend


@hookimpl
def ftrun_register_backends(register: Callable[[type[Backend]], None]) -> None:
    register(LocalBackend)


@hookimpl
def ftrun_doctor_checks(recipe: Recipe) -> Iterable[DoctorCheck]:
    from ftrun_plugins.local.doctor import checks

    return checks(recipe)
