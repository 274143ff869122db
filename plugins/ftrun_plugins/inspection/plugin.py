"""Register the command `ftrun data`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from ftrun.api.commands import LazyCommand


@hookimpl
def ftrun_register_commands(register: Callable[[LazyCommand], None]) -> None:
    from ftrun.api.commands import LazyCommand

    name, implementation = "data", "ftrun_plugins.inspection.commands:data"
    register(LazyCommand(name, implementation, "Show what is in the dataset of a recipe, before it is trained."))
