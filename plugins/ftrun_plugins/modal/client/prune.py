"""Cleanup of deployed apps of older code that no run uses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ftrun.api.errors import InvalidInput, Problem
from ftrun.store import runs
from ftrun_plugins.modal import function_calls
from ftrun_plugins.modal.client.app import deployed_apps, stop_app
from ftrun_plugins.modal.client.client_volume import ROOT
from ftrun_plugins.modal.options import Options

if TYPE_CHECKING:
    from ftrun_plugins.modal.client.remote import ModalRemote

log = logging.getLogger(__name__)


def prune_apps(current: str, options: Options, remote: ModalRemote) -> Iterator[tuple[str, str]]:
    """Stop all apps except `current` and those that runs may use. Yield the name and the new status of each app."""
    used, unreadable = _find_used_apps(remote)
    for problem in unreadable:
        log.warning(f"{problem.what}, so no app is stopped; {problem.hint}")
    for name in deployed_apps(options):
        if name == current:
            continue
        if name in used:
            yield name, "is in use"
        elif unreadable:
            yield name, "may be in use"
        else:
            stop_app(name, options)
            yield name, "stopped"


def _find_used_apps(remote: ModalRemote) -> tuple[set[str], list[Problem]]:
    """Return the apps of runs whose scheduler is alive, and a problem for each run whose record cannot be read."""
    apps: set[str] = set()
    unreadable: list[Problem] = []
    folders = [ROOT.run(name) for name in remote.known()]
    for folder, content in zip(folders, remote.volume.read_all([folder.record for folder in folders]), strict=True):
        try:
            record = runs.parse(content, folder) if content is not None else None
        except InvalidInput as error:
            unreadable += error.problems
            continue
        launches = record.remote.get("launches", []) if record else []
        if record and record.status in runs.OPEN and launches and function_calls.is_alive(launches[-1]):
            apps.add(record.remote["app"])
    return apps, unreadable
