"""Register the command `ftrun import`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from ftrun.api.commands import LazyCommand


@hookimpl
def ftrun_register_commands(register: Callable[[LazyCommand], None]) -> None:
    from ftrun.api.commands import LazyCommand

    register(
        LazyCommand(
            "import", "ftrun_plugins.importing.commands:import_verb", "Make a recipe of another tool's configuration."
        )
    )
