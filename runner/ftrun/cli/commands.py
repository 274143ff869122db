"""The commands that come with ftrun: those of the core and those of its plugins."""

from __future__ import annotations

import importlib
from functools import cache

from ftrun.api.commands import LazyCommand
from ftrun.cli.main import VERBS
from ftrun.plugins.builtin import BUILTIN_PLUGINS


@cache
def builtin_commands() -> dict[str, LazyCommand]:
    """Return the commands by name. Imports no more of the plugins than the modules with their hooks."""
    commands = [LazyCommand(name, target, text) for name, (target, text) in VERBS.items()]
    for module in map(importlib.import_module, BUILTIN_PLUGINS):
        if hasattr(module, "ftrun_register_commands"):
            module.ftrun_register_commands(commands.append)
    return {command.name: command for command in commands}
