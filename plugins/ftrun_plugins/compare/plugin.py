"""Register the commands `ftrun compare` and `ftrun diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from ftrun.api.commands import LazyCommand


@hookimpl
def ftrun_register_commands(register: Callable[[LazyCommand], None]) -> None:
    from ftrun.api.commands import LazyCommand

    register(LazyCommand("compare", "ftrun_plugins.compare.commands:compare", "Compare runs side by side."))
    register(LazyCommand("diff", "ftrun_plugins.compare.commands:diff", "Show the differences between two runs."))
