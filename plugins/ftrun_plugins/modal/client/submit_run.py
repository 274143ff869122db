"""Submission of a run to Modal: uploads missing files, submits the first calls, and starts the scheduler."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ftrun.api.events import Event, add, make
from ftrun.api.paths import RunFolder
from ftrun.api.stage_call import StageCall
from ftrun.store import runs
from ftrun.store.run_plan import read_plan, read_recipe
from ftrun_plugins.modal.claims import Claims, make_client_owner
from ftrun_plugins.modal.client.client_volume import ClientVolume
from ftrun_plugins.modal.function_names import LAUNCH
from ftrun_plugins.modal.options import Options
from ftrun_plugins.modal.requests import LaunchRequest, record_call
from ftrun_plugins.modal.secrets import has_secret
from ftrun_plugins.modal.submit_stage import Submitter

HOURS = "FTRUN_MODAL_LAUNCH_HOURS"  # for tests of the hand-over, which cannot wait for a day
LAUNCH_HOURS = 23.5


class RunSubmission:
    """Submission of one run, new or resumed, to a deployed app."""

    def __init__(self, folder: RunFolder, app: str, options: Options, volume: ClientVolume) -> None:
        self._folder = folder
        self._options = options
        self._volume = volume
        self._record = runs.load(folder)
        self._record.remote = {**self._record.remote, "app": app, "volume": options.volume}
        self._record.status, self._record.ended, self._record.problems = "waiting", None, ()
        self._claims = Claims(options.claims, options.environment)
        plan = read_plan(folder)
        self._request = LaunchRequest(
            record=self._record,
            recipe=read_recipe(folder).model_dump(mode="json"),
            plan=plan,
            app=app,
            options=options,
            secrets=tuple(name for name in _secret_names(plan.calls) if has_secret(name, options)),
            claims=options.claims,
            hours=float(os.environ.get(HOURS, LAUNCH_HOURS)),
        )

    def run(self, progress: Callable[[str], None]) -> None:
        """Submit the run. When this returns, the run continues without this machine."""
        missing = self._volume.find_missing(local_files(self._request.plan.calls))
        if not self._volume.is_small(missing):
            self._volume.upload(missing, progress)
            missing = {}
        self._claims.clear_cancelled(self._folder.id)
        self._launch(tuple(self._submit_first_calls()))
        self._volume.upload(missing, progress)  # while the containers start

    def _submit_first_calls(self) -> Iterator[Event]:
        """Submit the calls without requirements and GPUs, so that they need no scheduler, and yield their events.

        Submits only calls without a claim. The scheduler decides about the other ones.
        """
        first = [call for call in self._request.plan.calls if not call.requirements and not call.work.gpus]
        manifests = self._volume.manifests(first)
        submitter = Submitter(self._request, self._claims)
        for call in first:
            if call.key not in manifests and self._claims.acquire(call.ref, 1, make_client_owner()):
                function_call = submitter.submit(call, 1)
                event = make("call_submitted", call.label, key=call.key, function_call=function_call)
                record_call(self._record.remote.setdefault("calls", {}), call.label, function_call)
                runs.save(self._folder, self._record)  # so that `cancel` finds the call even if a later step fails
                yield add(self._folder.events, event)

    def _launch(self, submitted: tuple[Event, ...]) -> None:
        import modal

        environment = self._options.environment
        launch = modal.Function.from_name(self._request.app, LAUNCH, environment_name=environment)
        call = launch.spawn(self._request.model_copy(update={"submitted": submitted}).pack())
        self._record.remote["launches"] = [*self._record.remote.get("launches", []), str(call.object_id)]
        runs.save(self._folder, self._record)


def local_files(calls: Sequence[StageCall]) -> dict[str, Path]:
    """Return the files of this machine that calls read, by digest."""
    return {digest: path for call in calls for digest, path in call.local_files.items()}


def _secret_names(calls: Sequence[StageCall]) -> list[str]:
    return sorted({name for call in calls for name in (*call.secrets, *call.optional_secrets)})
