"""The backend `local` keeps the contract that a third party's tests inherit.

That of Modal runs nothing on this machine: what it does is tested on a control plane, in `tests/plugins/modal`.
"""

from __future__ import annotations

from ftrun.plugins.manager import plugins
from ftrun.testing import BackendContract
from ftrun_plugins.local.backend import LocalBackend
from ftrun_plugins.modal.backend import ModalBackend


class TestLocal(BackendContract):
    backend = LocalBackend


def test_each_registered_backend_is_tested_here_or_runs_elsewhere() -> None:
    own = {part.cls for part in plugins().of_kind("backend").values() if part.distribution == "ftrun"}
    assert own == {contract.backend for contract in BackendContract.__subclasses__()} | {ModalBackend}
