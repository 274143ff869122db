"""Cleanup of deployed apps of older code that no run uses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ftrun.store.runs import OPEN
from ftrun_plugins.modal import function_calls
from ftrun_plugins.modal.client.app import deployed_apps, stop_app
from ftrun_plugins.modal.client.client_volume import ROOT
from ftrun_plugins.modal.options import Options

if TYPE_CHECKING:
    from ftrun_plugins.modal.client.remote import ModalRemote


def prune_apps(current: str, options: Options, remote: ModalRemote) -> Iterator[tuple[str, str]]:
    """Stop all apps except `current` and those that runs use. Yield the name and the new status of each app."""
    used = _find_used_apps(remote)
    for name in deployed_apps(options):
        if name == current:
            continue
        if name in used:
            yield name, "is in use"
        else:
            stop_app(name, options)
            yield name, "stopped"


def _find_used_apps(remote: ModalRemote) -> set[str]:
    """Return the apps of runs whose scheduler is alive."""
    apps = set()
    for content in remote.volume.read_all([ROOT.run(name).record for name in remote.known()]):
        record = json.loads(content) if content else {}
        launches = record.get("remote", {}).get("launches", [])
        if record.get("status") in OPEN and launches and function_calls.is_alive(launches[-1]):
            apps.add(record["remote"]["app"])
    return apps
