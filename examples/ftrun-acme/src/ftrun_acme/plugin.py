"""Registration of the parts of this package with ftrun."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ftrun import hookimpl
from ftrun.api.config_dirs import ConfigFolders
from ftrun.api.evaluators import Evaluator
from ftrun.api.formatters import Formatter
from ftrun_acme.evaluator import Team
from ftrun_acme.formatter import Ticket

PACKAGE = Path(__file__).parent


@hookimpl
def ftrun_register_formatters(register: Callable[[type[Formatter]], None]) -> None:
    register(Ticket)


@hookimpl
def ftrun_register_evaluators(register: Callable[[type[Evaluator]], None]) -> None:
    register(Team)


@hookimpl
def ftrun_config_sources() -> ConfigFolders:
    return ConfigFolders(conf=PACKAGE / "conf", recipes=PACKAGE / "recipes")
