"""Modules of the plugins that are part of ftrun."""

from __future__ import annotations

BUILTIN_PLUGINS = (
    "ftrun_plugins.data.sources.plugin",
    "ftrun_plugins.data.formatters.plugin",
    "ftrun_plugins.models.plugin",
    "ftrun_plugins.data.format.plugin",
    "ftrun_plugins.axolotl.plugin",
    "ftrun_plugins.evaluation.plugin",
    "ftrun_plugins.parity.plugin",
    "ftrun_plugins.serving.plugin",
    "ftrun_plugins.local.plugin",
    "ftrun_plugins.modal.plugin",
    "ftrun_plugins.preview.plugin",
    "ftrun_plugins.inspection.plugin",
    "ftrun_plugins.rehearsal.plugin",
    "ftrun_plugins.compare.plugin",
    "ftrun_plugins.schema.plugin",
    "ftrun_plugins.importing.plugin",
)
