"""Inference servers on Modal: one app for each run, with a stable URL, and no container while there are no requests."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ftrun.api.recipe import SERVER, Environment, Recipe
from ftrun.api.serving_spec import Endpoint, Serving
from ftrun_plugins.modal.client import source_bundle
from ftrun_plugins.modal.client.app import deployed_apps, stop_app
from ftrun_plugins.modal.client.images import make_image
from ftrun_plugins.modal.container import entrypoints
from ftrun_plugins.modal.function_names import container_options
from ftrun_plugins.modal.options import MOUNT, SERVERS, Options
from ftrun_plugins.modal.server.server_container import GPUS, PORT, SERVING
from ftrun_plugins.serving.engine import environment
from ftrun_plugins.serving.middleware import KEY

STARTUP = 1200.0  # seconds until the engine must listen


class Servers:
    """Servers of the runs in one workspace."""

    def __init__(self, options: Options, environments: Mapping[str, Environment]) -> None:
        self._options = options
        self._environments = environments

    def find(self, run: str) -> Endpoint | None:
        """Return the server of a run, or None if it has none."""
        import modal

        function = modal.Function.from_name(_app_name(run), SERVER, environment_name=self._options.environment)
        try:
            function.hydrate()
        except modal.exception.NotFoundError:
            return None
        return Endpoint(run, str(function.get_web_url()))

    def all(self) -> Sequence[Endpoint]:
        endpoints = (self.find(name.removeprefix(SERVERS)) for name in deployed_apps(self._options, SERVERS))
        return [endpoint for endpoint in endpoints if endpoint]

    def deploy(self, serving: Serving, recipe: Recipe, progress: Callable[[str], None]) -> Endpoint:
        """Deploy a server and return its endpoint. The first request starts its first container."""
        key = None if recipe.serve.public else secrets.token_urlsafe(24)
        kinds = recipe.server_resources.kinds_of_gpu
        progress(f"deploying {_app_name(serving.run)} on {' or '.join(kinds) or 'a container without a GPU'}")
        app = self._build_app(serving, recipe, key)
        app.deploy(name=_app_name(serving.run), environment_name=self._options.environment)
        endpoint = self.find(serving.run)
        assert endpoint is not None
        return Endpoint(serving.run, endpoint.url, key)

    def stop(self, run: str) -> None:
        stop_app(_app_name(run), self._options)

    def _build_app(self, serving: Serving, recipe: Recipe, key: str | None) -> Any:
        import modal

        resources = recipe.server_resources
        name = environment(serving, resources.gpus or 0)
        variables: dict[str, str | None] = {SERVING: serving.model_dump_json(), GPUS: str(resources.gpus or 0)}
        image = make_image(name, self._environments[name], source_bundle.packages(), ())
        volume = modal.Volume.from_name(self._options.volume, version=2, environment_name=self._options.environment)
        app = modal.App(_app_name(serving.run), include_source=False)
        # the key is stored only in a secret of this app
        app_secrets = [modal.Secret.from_dict({KEY: key})] if key else []
        entry: Any = modal.concurrent(max_inputs=serving.limits.max_requests)(
            modal.web_server(PORT, startup_timeout=STARTUP)(entrypoints.serve)
        )
        options = container_options(resources.cpu, resources.memory, resources.regions)
        if resources.kinds_of_gpu:
            options["gpu"] = list(resources.kinds_of_gpu)
        app.function(
            name=SERVER,
            image=image,
            env=variables,
            secrets=app_secrets,
            volumes={MOUNT: volume.with_mount_options(read_only=True)},
            scaledown_window=recipe.serve.idle,
            include_source=False,
            **options,
        )(entry)
        return app


def _app_name(run: str) -> str:
    """Return the name of a server's app. It has only the start of the run's id, because Modal allows 64 characters."""
    return f"{SERVERS}{run[:50]}"
