"""Registration of the formatters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from ftrun.api.formatters import Formatter


@hookimpl
def ftrun_register_formatters(register: Callable[[type[Formatter]], None]) -> None:
    from ftrun_plugins.data.formatters.alpaca import Alpaca
    from ftrun_plugins.data.formatters.auto import Auto
    from ftrun_plugins.data.formatters.chat import ChatFormatter
    from ftrun_plugins.data.formatters.completion import Completion
    from ftrun_plugins.data.formatters.segments import SegmentsFormatter
    from ftrun_plugins.data.formatters.sharegpt import ShareGpt
    from ftrun_plugins.data.formatters.template import Template

    for formatter in (ChatFormatter, ShareGpt, Alpaca, Completion, Template, SegmentsFormatter, Auto):
        register(formatter)
