"""Commands that plugins add to the command line."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

__all__ = ["LazyCommand"]


@dataclass(frozen=True)
class LazyCommand:
    """Command whose module is imported only when the command is used.

    Args:
        name: The name of the command, as in `ftrun NAME`.
        target: The click command as `module:attribute`.
        help: One sentence for `ftrun --help`.
    """

    name: str
    target: str
    help: str

    def load(self) -> click.Command:
        """Import the module and return the command."""
        module, _, attribute = self.target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the help text. click calls this method to list commands."""
        return self.help
