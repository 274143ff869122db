"""The importers by tool. Each is imported only when a file belongs to its tool."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Protocol, cast

from ftrun_plugins.importing.detect import Tool
from ftrun_plugins.importing.draft import ImportContext, RecipeDraft

MODULES: Mapping[Tool, str] = {
    "axolotl": "ftrun_plugins.importing.axolotl.importer",
    "LLaMA-Factory": "ftrun_plugins.importing.llama_factory.importer",
    "OpenAI": "ftrun_plugins.importing.openai.importer",
}


class Importer(Protocol):
    """Module of an importer."""

    def read(self, values: dict[str, Any], context: ImportContext) -> RecipeDraft:
        """Return the recipe for the values of a configuration. Keys without a way in are entries, not exceptions."""


def importer_of(tool: Tool) -> Importer:
    return cast("Importer", importlib.import_module(MODULES[tool]))
