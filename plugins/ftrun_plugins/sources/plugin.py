"""Registers the sources."""

from __future__ import annotations

from collections.abc import Callable

from ftrun import hookimpl
from ftrun.contracts import Source
from ftrun_plugins.sources.jsonl import JsonLines
from ftrun_plugins.sources.python_docs_source import PythonDocsSource
from ftrun_plugins.sources.url import Url


@hookimpl
def ftrun_register_sources(register: Callable[[type[Source]], None]) -> None:
    register(JsonLines)
    register(Url)
    register(PythonDocsSource)
