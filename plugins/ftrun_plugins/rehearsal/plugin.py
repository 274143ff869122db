"""Register the command `ftrun rehearse`."""

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
            "rehearse",
            "ftrun_plugins.rehearsal.commands:rehearse",
            "Test a recipe end to end on the CPU with a tiny model.",
        )
    )
