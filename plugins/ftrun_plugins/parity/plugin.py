"""Registration of the stage `parity`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from ftrun.api.stages import Stage


@hookimpl
def ftrun_register_stages(register: Callable[[type[Stage]], None]) -> None:
    from ftrun_plugins.parity.stage import Parity

    register(Parity)
