"""The functions of the app: everything that runs on Modal enters here, by name and not as pickled code."""

from __future__ import annotations

from typing import Any


def run_stage(request: dict[str, Any]) -> dict[str, Any]:
    """Runs one stage call, whichever function of the app this is; what goes wrong in it is part of the answer."""
    from ftrun_plugins.modal.container.stage_container import StageRun
    from ftrun_plugins.modal.requests import StageRequest

    return StageRun(StageRequest.model_validate(request)).run().packed()


def launch(request: dict[str, Any]) -> dict[str, Any]:
    """Runs the scheduler of one run."""
    from ftrun_plugins.modal.container.remote_scheduler import RemoteScheduler
    from ftrun_plugins.modal.requests import LaunchRequest

    return RemoteScheduler(LaunchRequest.model_validate(request)).run()


def serve() -> None:
    """Starts the engine of an inference server, for which this container exists."""
    from ftrun_plugins.modal.server.server_container import start_engine

    start_engine()
