"""Begins a run on Modal: uploads what is not there, submits what can begin at once, and starts the run's scheduler."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ftrun.api.events import Event, add, make
from ftrun.api.paths import RunFolder
from ftrun.api.stage_call import StageCall
from ftrun.execution.engine import read_plan, read_recipe
from ftrun.store import runs
from ftrun_plugins.modal.claims import Claims, of_client
from ftrun_plugins.modal.client.client_volume import ClientVolume
from ftrun_plugins.modal.function_names import LAUNCH
from ftrun_plugins.modal.options import Options
from ftrun_plugins.modal.requests import LaunchRequest, note
from ftrun_plugins.modal.secrets import has_secret
from ftrun_plugins.modal.submit_stage import Submitter

HOURS = "FTRUN_MODAL_LAUNCH_HOURS"  # for trying the hand-over without waiting for a day
LAUNCH_HOURS = 23.5


class RunSubmission:
    """The start of one run, the first time or again, on an app that is deployed."""

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
            secrets=tuple(name for name in _asked_for(plan.calls) if has_secret(name, options)),
            claims=options.claims,
            hours=float(os.environ.get(HOURS, LAUNCH_HOURS)),
        )

    def run(self, progress: Callable[[str], None]) -> None:
        """Returns once the run goes on without this machine."""
        lacking = self._volume.lacking(outside_files(self._request.plan.calls))
        if not self._volume.is_small(lacking):
            self._volume.upload(lacking, progress)
            lacking = {}
        self._claims.allow(self._folder.id)
        self._launch(tuple(self._first_calls()))
        self._volume.upload(lacking, progress)  # while the containers start

    def _first_calls(self) -> Iterator[Event]:
        """Submits what waits for nothing and no GPU, beside the scheduler's own start; the events of it.

        Only calls that nobody has claimed yet: whatever is known of the others is for the scheduler to judge.
        """
        first = [call for call in self._request.plan.calls if not call.inputs and not call.work.gpus]
        there = self._volume.manifests(first)
        submitter = Submitter(self._request, self._claims)
        for call in first:
            if call.key not in there and self._claims.take(call.ref, 1, of_client()):
                function_call = submitter.submit(call, 1)
                event = make("call_submitted", call.label, key=call.key, function_call=function_call)
                note(self._record.remote.setdefault("calls", {}), call.label, function_call)
                runs.save(self._folder, self._record)  # so that `cancel` finds it, whatever becomes of the rest
                yield add(self._folder.events, event)

    def _launch(self, submitted: tuple[Event, ...]) -> None:
        import modal

        environment = self._options.environment
        launch = modal.Function.from_name(self._request.app, LAUNCH, environment_name=environment)
        call = launch.spawn(self._request.model_copy(update={"submitted": submitted}).packed())
        self._record.remote["launches"] = [*self._record.remote.get("launches", []), str(call.object_id)]
        runs.save(self._folder, self._record)


def outside_files(calls: Sequence[StageCall]) -> dict[str, Path]:
    """Files of this machine that calls read, by digest."""
    return {digest: path for call in calls for digest, path in call.local_files.items()}


def _asked_for(calls: Sequence[StageCall]) -> list[str]:
    return sorted({name for call in calls for name in (*call.secrets, *call.optional_secrets)})
