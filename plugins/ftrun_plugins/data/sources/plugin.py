"""Registration of the sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from ftrun.api.sources import Source


@hookimpl
def ftrun_register_sources(register: Callable[[type[Source]], None]) -> None:
    from ftrun_plugins.data.sources.csv_source import Csv
    from ftrun_plugins.data.sources.hub_source import HubDataset
    from ftrun_plugins.data.sources.json_source import JsonArray
    from ftrun_plugins.data.sources.jsonl_source import JsonLines
    from ftrun_plugins.data.sources.parquet_source import Parquet
    from ftrun_plugins.data.sources.python_docs_source import PythonDocsSource
    from ftrun_plugins.data.sources.text_source import TextFiles
    from ftrun_plugins.data.sources.url_source import Url

    for source in (JsonLines, JsonArray, Csv, Parquet, TextFiles, Url, HubDataset, PythonDocsSource):
        register(source)
