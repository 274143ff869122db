"""Registers the formatters."""

from __future__ import annotations

from collections.abc import Callable

from ftrun import hookimpl
from ftrun.contracts import Formatter
from ftrun_plugins.formatters.chat import ChatFormatter
from ftrun_plugins.formatters.completion import Completion
from ftrun_plugins.formatters.template import Template


@hookimpl
def ftrun_register_formatters(register: Callable[[type[Formatter]], None]) -> None:
    register(ChatFormatter)
    register(Completion)
    register(Template)
