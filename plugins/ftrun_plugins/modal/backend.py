"""The backend `modal`: what a plan needs to know of it, and the way to its runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from ftrun.api.backends import Estimate, Hardware, Runner
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

CORES = 4.0  # of a stage that keeps all cores busy, unless its resources say


class ModalBackend:
    """Stage calls as function calls of a deployed app; the scheduler runs there too."""

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
        """Found out without importing Modal: by its variables, or its file."""
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
        return Hardware("gpu", resources.processes or count, " or ".join(resources.kinds_of_gpu))

    def cores(self) -> float:
        return CORES

    def environment_digest(self, name: str) -> str:
        check_environment(name, self._environments[name])
        return environment_digest(self._environments[name])

    def environment_ready(self, name: str) -> bool:
        return True  # as an Image, which the deploy that a run begins with builds where it is not there

    def environment_python(self, name: str) -> Path:
        raise InvalidInput(Problem("usage", f"the environment `{name}` of Modal has no interpreter on this machine"))

    def prepare(self, name: str, progress: Callable[[str], None]) -> None:
        """Nothing: see `environment_ready`."""

    def cached(self, calls: Sequence[StageCall]) -> set[str]:
        with modal_errors("looking for artifacts"):
            return set(self.remote.volume.manifests(calls))

    def estimate(self, calls: Sequence[StageCall], seconds: Mapping[str, float]) -> Estimate:
        with modal_errors("looking at what is there"):
            return estimate(calls, seconds, self._options.prices, self.remote.uploads(calls))

    def has_secret(self, name: str) -> bool:
        with modal_errors(f"looking for the secret {name}"):
            return has_secret(name, self._options)

    def secret_advice(self, name: str) -> str:
        return self._options.secret_advice(name)

    def runner(self) -> Runner:
        raise InvalidInput(Problem("usage", "runs of the backend `modal` are scheduled on Modal, not here"))
