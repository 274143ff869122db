"""Stops apps of older code that no run uses any more."""

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


def prune_apps(kept: str, options: Options, remote: ModalRemote) -> Iterator[tuple[str, str]]:
    """Each app but the one to keep, and what became of it."""
    busy = _in_use(remote)
    for name in deployed_apps(options):
        if name == kept:
            continue
        if name in busy:
            yield name, "is in use"
        else:
            stop_app(name, options)
            yield name, "stopped"


def _in_use(remote: ModalRemote) -> set[str]:
    """Apps of runs whose scheduler lives."""
    found = set()
    for content in remote.volume.read_all([ROOT.run(name).record for name in remote.known()]):
        record = json.loads(content) if content else {}
        launches = record.get("remote", {}).get("launches", [])
        if record.get("status") in OPEN and launches and function_calls.is_alive(launches[-1]):
            found.add(record["remote"]["app"])
    return found
