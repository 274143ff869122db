"""App of one digest of images and code: built and deployed once, found by its name, and stopped when outdated."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ftrun.api.environment_digest import environment_digest
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Environment
from ftrun.api.stage_call import CLIENT, StageCall
from ftrun.plugins.manager import Plugins
from ftrun.utils.digests import digest
from ftrun.utils.terminal import unescaped_output
from ftrun_plugins.modal.client import source_bundle
from ftrun_plugins.modal.client.images import check_environment, make_image
from ftrun_plugins.modal.container import entrypoints
from ftrun_plugins.modal.errors import modal_errors
from ftrun_plugins.modal.function_names import LAUNCH, StageFunction, stage_functions
from ftrun_plugins.modal.gpus import MAX_TIMEOUT
from ftrun_plugins.modal.options import MOUNT, SERVERS, Options

PREFIX = "ftrun-"
IDLE = 2  # seconds that a container waits for another input before it exits
LAUNCH_RETRIES = 10


@dataclass(frozen=True)
class App:
    """Deployment for some environments, plugins and calls."""

    options: Options
    environments: Mapping[str, Environment]
    functions: tuple[StageFunction, ...]
    plugin_environments: frozenset[str]  # environments that run components or stages of other packages

    @classmethod
    def for_calls(
        cls,
        options: Options,
        environments: Mapping[str, Environment],
        plugins: Plugins,
        calls: Sequence[StageCall],
    ) -> App:
        """Return the app that runs these calls and any other calls in the same environments.

        It has only the images that are needed, because the image of the engine on GPUs takes long to build.

        Raises:
            InvalidInput: If an environment exists only on this machine.
        """
        foreign = [stage for stage in plugins.of_kind("stage").values() if stage.distribution != "ftrun"]
        plugin_environments = frozenset({CLIENT, *(stage.cls.environment for stage in foreign)})
        used = {CLIENT, *(call.environment.name for call in calls)}
        images = {name: declared for name, declared in environments.items() if name in used}
        for name, declared in images.items():
            check_environment(name, declared)
        return cls(options, images, tuple(stage_functions(plugins, images, calls)), plugin_environments)

    @cached_property
    def name(self) -> str:
        """Name with the digest of images and code. Recipes with the same images and code share one deployment."""
        import modal

        environments = {
            name: [environment_digest(declared), declared.image.model_dump(mode="json")]
            for name, declared in self.environments.items()
        }
        content = {
            "code": source_bundle.code_digest(),
            "requirements": [list(source_bundle.requirements()), sorted(self.plugin_environments)],
            "environments": environments,
            "functions": [function.name for function in self.functions],
            "volume": self.options.volume,
            "modal": modal.__version__,
        }
        return PREFIX + digest(content)[:16]

    def is_deployed(self) -> bool:
        import modal

        launch = modal.Function.from_name(self.name, LAUNCH, environment_name=self.options.environment)
        try:
            launch.hydrate()
        except modal.exception.NotFoundError:
            return False
        return True

    def deploy(self, progress: Callable[[str], None], show: bool = False) -> None:
        """Build the images and deploy all functions. If `show` is set, Modal prints the progress of the builds."""
        import modal

        images = ", ".join(sorted(self.environments))
        progress(f"deploying {self.name}: {len(self.functions) + 1} functions, images {images}")
        with (
            modal_errors("deploying"),
            unescaped_output() if show else nullcontext(),
            modal.enable_output() if show else nullcontext(),
        ):
            self._build().deploy(name=self.name, environment_name=self.options.environment)
        progress(f"deployed {self.name}")

    def _build(self) -> Any:
        import modal

        app = modal.App(self.name, include_source=False)
        volume = modal.Volume.from_name(
            self.options.volume, create_if_missing=True, version=2, environment_name=self.options.environment
        )
        packages, requirements = source_bundle.packages(), source_bundle.requirements()
        images = {
            name: make_image(name, declared, packages, requirements if name in self.plugin_environments else ())
            for name, declared in self.environments.items()
        }
        common: dict[str, Any] = {"volumes": {MOUNT: volume}, "timeout": MAX_TIMEOUT, "include_source": False}
        for function in self.functions:
            options = {**common, "gpu": list(function.gpu)} if function.gpu else common
            app.function(name=function.name, image=images[function.environment], scaledown_window=IDLE, **options)(
                entrypoints.run_stage
            )
        retries = modal.Retries(max_retries=LAUNCH_RETRIES, initial_delay=1.0, backoff_coefficient=1.0)
        app.function(name=LAUNCH, image=images[CLIENT], cpu=0.25, retries=retries, scaledown_window=IDLE, **common)(
            entrypoints.launch
        )
        return app


def deployed_apps(options: Options, prefix: str = PREFIX) -> list[str]:
    """Return the names of the deployed apps that begin with `prefix`, by default those for runs and not for servers.

    Uses Modal's command line, because its library cannot list apps.

    Raises:
        InvalidInput: If the command fails.
    """
    command = [sys.executable, "-m", "modal", "app", "list", "--json"]
    command += ["--env", options.environment] if options.environment else []
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise InvalidInput(
            Problem("modal-error", f"`modal app list` failed: {result.stderr.strip()[-300:]}", hint="ftrun doctor")
        )
    names = {str(row["description"]) for row in json.loads(result.stdout) if row["state"] == "deployed"}
    excluded = () if prefix == SERVERS else (SERVERS,)
    return sorted(name for name in names if name.startswith(prefix) and not name.startswith(excluded))


def stop_app(name: str, options: Options) -> None:
    import modal

    with modal_errors(f"stopping {name}"):
        modal.App.lookup(name, environment_name=options.environment).stop()
