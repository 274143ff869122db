"""Registers the backend `local`."""

from __future__ import annotations

from collections.abc import Callable

from ftrun import hookimpl
from ftrun.contracts import Backend
from ftrun_plugins.local.backend import LocalBackend


@hookimpl
def ftrun_register_backends(register: Callable[[type[Backend]], None]) -> None:
    register(LocalBackend)
