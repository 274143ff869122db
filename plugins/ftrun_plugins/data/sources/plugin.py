"""Registers the sources."""

from __future__ import annotations

from collections.abc import Callable

from ftrun import hookimpl
from ftrun.api.sources import Source
from ftrun_plugins.data.sources.csv_source import Csv
from ftrun_plugins.data.sources.hub_source import HubDataset
from ftrun_plugins.data.sources.json_source import JsonArray
from ftrun_plugins.data.sources.jsonl_source import JsonLines
from ftrun_plugins.data.sources.parquet_source import Parquet
from ftrun_plugins.data.sources.python_docs_source import PythonDocsSource
from ftrun_plugins.data.sources.url_source import Url

SOURCES = (JsonLines, JsonArray, Csv, Parquet, Url, HubDataset, PythonDocsSource)


@hookimpl
def ftrun_register_sources(register: Callable[[type[Source]], None]) -> None:
    for source in SOURCES:
        register(source)
