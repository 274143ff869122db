"""Backend `modal`: hardware, environments and costs for a plan, and access to runs on Modal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from ftrun.api.backends import Backend, Estimate, Hardware, Runner
from ftrun.api.environment_digest import environment_digest
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import Store
from ftrun.api.recipe import Environment, Resources
from ftrun.api.stage_call import StageCall
from ftrun_plugins.modal.client.costs import estimate
from ftrun_plugins.modal.client.images import check_environment
from ftrun_plugins.modal.client.remote import ModalRemote
from ftrun_plugins.modal.errors import modal_errors
from ftrun_plugins.modal.options import Options
from ftrun_plugins.modal.secrets import has_secret

CORES = 4.0  # for a stage that keeps all cores busy, unless its resources set another number


class ModalBackend(Backend):
    """Backend that runs stage calls as function calls of a deployed app. The scheduler also runs on Modal."""

    name: ClassVar[str] = "modal"
    Options: ClassVar[type[Options]] = Options

    def __init__(self, options: Any, environments: Mapping[str, Environment], store: Store) -> None:
        self._options: Options = options
        self._environments = environments

    @classmethod
    def account(cls) -> ModalRemote | None:
        if not cls.has_account():
            return None
        from ftrun.plugins.manager import plugins

        return ModalRemote(Options(), {}, plugins())

    @classmethod
    def has_account(cls) -> bool:
        """Return whether a Modal token is configured, by environment variable or file. Does not import Modal."""
        file = Path(os.environ.get("MODAL_CONFIG_PATH") or Path.home() / ".modal.toml")
        return bool(os.environ.get("MODAL_TOKEN_ID")) or file.exists()

    @cached_property
    def remote(self) -> ModalRemote:
        from ftrun.plugins.manager import plugins

        return ModalRemote(self._options, self._environments, plugins())

    def hardware(self, stage: str, resources: Resources) -> Hardware:
        count = resources.gpus
        if not count:
            return Hardware("cpu", resources.processes or 1, "a CPU container")
        return Hardware(
            "gpu", resources.processes or count, " or ".join(resources.kinds_of_gpu), resources.kinds_of_gpu
        )

    def cores(self) -> float:
        return CORES

    def environment_digest(self, name: str) -> str:
        check_environment(name, self._environments[name])
        return environment_digest(self._environments[name])

    def cached(self, calls: Sequence[StageCall]) -> set[str]:
        with modal_errors("looking for artifacts"):
            return set(self.remote.volume.manifests(calls))

    def estimate(self, calls: Sequence[StageCall], seconds: Mapping[str, float]) -> Estimate:
        with modal_errors("looking for uploaded files"):
            return estimate(calls, seconds, self._options.prices, self.remote.uploads(calls))

    def has_secret(self, name: str) -> bool:
        with modal_errors(f"looking for the secret `{name}`"):
            return has_secret(name, self._options)

    def secret_advice(self, name: str) -> str:
        return self._options.secret_advice(name)

    def runner(self) -> Runner:
        raise InvalidInput(Problem("usage", "the backend `modal` schedules runs on Modal, not on this machine"))
