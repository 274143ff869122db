"""Register the command `ftrun schema`."""

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
            "schema", "ftrun_plugins.schema.commands:schema", "Print a JSON Schema of recipes, or explain a key."
        )
    )
