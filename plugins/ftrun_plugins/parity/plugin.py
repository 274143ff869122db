"""Registers the stage `parity`."""

from __future__ import annotations

from collections.abc import Callable

from ftrun import hookimpl
from ftrun.api.stages import Stage
from ftrun_plugins.parity.stage import Parity


@hookimpl
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    register(Parity)
