"""Hooks of the backend `local`: the backend, and its checks in `ftrun doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ftrun.api.backends import Backend
    from ftrun.api.doctor import DoctorCheck
    from ftrun.api.recipe import Recipe


@hookimpl
def ftrun_register_backends(register: Callable[[type[Backend]], None]) -> None:
    from ftrun_plugins.local.backend import LocalBackend

    register(LocalBackend)


@hookimpl
def ftrun_doctor_checks(recipe: Recipe) -> Iterable[DoctorCheck]:
    from ftrun_plugins.local.doctor import checks

    return checks(recipe)
