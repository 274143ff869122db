"""Functions of the app. All code on Modal starts here, and is found by its name instead of being pickled."""

from __future__ import annotations

from typing import Any


def run_stage(request: dict[str, Any]) -> dict[str, Any]:
    """Run one stage call, in any function of the app for stages. Errors of the stage are part of the answer."""
    from ftrun_plugins.modal.container.stage_container import StageRun
    from ftrun_plugins.modal.requests import StageRequest

    return StageRun(StageRequest.model_validate(request)).run().pack()


def launch(request: dict[str, Any]) -> dict[str, Any]:
    """Run the scheduler of one run."""
    from ftrun_plugins.modal.container.remote_scheduler import RemoteScheduler
    from ftrun_plugins.modal.requests import LaunchRequest

    return RemoteScheduler(LaunchRequest.model_validate(request)).run()


def serve() -> None:
    """Start the engine of an inference server."""
    from ftrun_plugins.modal.server.server_container import start_engine

    start_engine()
