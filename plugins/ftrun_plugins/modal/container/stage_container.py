"""One try of a stage call in its container: claims the key, runs the process of the stage, publishes the artifact."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ftrun.api.cancellation import StopSignal
from ftrun.api.context import Reporter
from ftrun.api.errors import Problem
from ftrun.api.events import make
from ftrun.api.manifest import Manifest
from ftrun.api.outcome import StageOutcome
from ftrun.api.stage_call import StageCall
from ftrun.execution.stage_subprocess import ProcessSpec, StageProcess
from ftrun.store.artifacts import publish
from ftrun.utils.atomic_io import read_json
from ftrun_plugins.modal.claims import Claims
from ftrun_plugins.modal.container.container_volume import MAX_WAIT, ContainerStore
from ftrun_plugins.modal.container.volume_check import check_inputs
from ftrun_plugins.modal.container.worker_thread import WorkerThread
from ftrun_plugins.modal.event_protocol import Markers, encode_event
from ftrun_plugins.modal.requests import StageAnswer, StageRequest

GRACE = 22.0  # seconds for a checkpoint; Modal allows 30 seconds for it and the final commit
COMMIT_EVENTS = ("checkpoint", "warning", "gate", "tracker")  # events after which the Volume is committed
SECONDS_FOR_FILES = 120.0  # the client uploads small files while containers start
SECONDS_BETWEEN_POLLS = 0.1


class StageRun:
    """One try of a stage call. Modal repeats it with the same id if the container is preempted or crashes."""

    def __init__(self, request: StageRequest) -> None:
        self._request = request
        self._call = request.call
        self._volume = ContainerStore(request.volume)
        self._folder = self._volume.store.run(request.run)
        self._markers = Markers()

    def run(self) -> StageAnswer:
        import modal

        own_id = str(modal.current_function_call_id())
        claims = Claims(self._request.claims)
        ref, generation = self._call.ref, self._request.generation
        attached_id = claims.attach(ref, generation, own_id)
        other_id = attached_id if attached_id != own_id else claims.competing_call(ref, generation)
        if other_id is not None:
            return StageAnswer(status="superseded", superseded_by=other_id)
        try:
            self._volume.reload()
            tries = claims.count_try(ref, generation, self._volume.last_checkpoint(ref))
            if tries > self._request.most_tries:
                return self._answer(_fail_tries(self._call, tries))
            return self._run_call()
        finally:
            claims.release(ref, generation)

    def _run_call(self) -> StageAnswer:
        if self._volume.find(self._call.ref):
            return StageAnswer(status="done")
        missing = [role for role, ref in self._call.inputs.items() if not self._volume.find(ref, MAX_WAIT)]
        if missing:
            return self._answer(_fail_inputs(self._call, missing))
        if damaged := self._check_inputs():
            return self._answer(StageOutcome("failed", "store", tuple(damaged)))
        self._emit("call_started", key=self._call.key)
        files = self._call.local_files.items()
        missing_files = [path for digest, path in files if not self._volume.has_file(digest, SECONDS_FOR_FILES)]
        return self._answer(_fail_files(self._request.run, missing_files) if missing_files else self._run_process())

    def _check_inputs(self) -> list[Problem]:
        """Return a problem for each input that was changed after it was made."""
        report = _Reporter(self._call.label, self._emit)
        return check_inputs(self._volume.store, self._call.inputs.values(), self._request.volume, report.progress)

    def _run_process(self) -> StageOutcome:
        """Run the process of the stage, and commit its checkpoints when its events report them."""
        scratch = self._volume.store.scratch(self._call.ref)
        scratch.manifest.unlink(missing_ok=True)
        spec = ProcessSpec(
            python=Path(sys.executable),
            log=self._folder.log(self._call.label),
            variables={name: os.environ[name] for name in _declared_variables()},
            listen=self._forward_output,
            publishes=False,
            grace=GRACE,
        )
        stop = StopSignal()
        process = StageProcess(self._volume.store, self._localize_call(), self._request.run, spec)
        outcome = self._wait_for_process(process, stop)
        if outcome.status == "done":
            manifest = Manifest.model_validate(read_json(scratch.manifest))
            publish(self._volume.store, self._call.ref, manifest, self._volume.commit)
            scratch.discard()
        self._volume.commit()
        return outcome

    def _wait_for_process(self, process: StageProcess, stop: StopSignal) -> StageOutcome:
        """Wait in another thread, because Modal raises in this one. If it does, the process writes a checkpoint."""
        work = WorkerThread(lambda: process.wait(stop))
        try:
            while not work.wait(SECONDS_BETWEEN_POLLS):
                pass
        except BaseException:  # preempted (KeyboardInterrupt) or cancelled (InputCancellation)
            stop.raise_level(1)
            work.wait()
            self._volume.commit()
            raise
        return work.result()

    def _forward_output(self, piece: bytes) -> None:
        """Write output of the stage to the logs of the function, and its events also to the folder of the run."""
        sys.stdout.buffer.write(piece)
        sys.stdout.flush()
        events = list(self._markers.read(piece))
        self._save_events(events)
        if any(event["kind"] in COMMIT_EVENTS for event in events):
            self._volume.commit()

    def _save_events(self, events: list[dict[str, object]]) -> None:
        if not events:
            return
        path = self._folder.events_of(self._call.label)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(event) + "\n" for event in events)

    def _emit(self, kind: str, **values: object) -> None:
        event = make(kind, self._call.label, **values)
        os.write(sys.stdout.fileno(), encode_event(event))
        self._save_events([event])

    def _localize_call(self) -> StageCall:
        """Replace the paths of the client's files by their paths on the Volume. URLs stay as they are."""
        paths = {digest: str(self._volume.store.file(digest)) for digest in self._call.local_files}
        without_limit = self._call.work.model_copy(update={"timeout": None})  # Modal enforces the timeout
        return self._call.model_copy(update={"files": {**self._call.files, **paths}, "work": without_limit})

    def _answer(self, outcome: StageOutcome) -> StageAnswer:
        values = asdict(outcome)
        return StageAnswer(
            status=outcome.status,
            fault=outcome.fault,
            problems=tuple(values["problems"]),
        )


class _Reporter(Reporter):
    """Reporter of this process, whose events also get into the folder of the run."""

    def __init__(self, call: str, emit: Callable[..., None]) -> None:
        super().__init__(call, None)
        self._emit = emit

    def event(self, kind: str, /, **values: Any) -> None:
        self._emit(kind, **values)


def _declared_variables() -> Iterator[str]:
    """Yield the variables that the environment declares, from a list in its image."""
    yield from (name for name in os.environ.get("FTRUN_VARIABLES", "").split(",") if name in os.environ)


def _fail_inputs(call: StageCall, missing: list[str]) -> StageOutcome:
    what = f"inputs of `{call.label}` are not on the Volume: {', '.join(missing)}"
    hint = "`ftrun resume` creates them again"
    return StageOutcome("failed", "store", (Problem("missing-artifact", what, hint=hint),))


def _fail_files(run: str, paths: list[Path]) -> StageOutcome:
    what = f"files were not uploaded: {', '.join(map(str, paths))}"
    hint = f"`ftrun resume {run}` on the machine that has them"
    return StageOutcome("failed", "user", (Problem("missing-artifact", what, hint=hint),))


def _fail_tries(call: StageCall, tries: int) -> StageOutcome:
    """Return the failure of a call whose container dies each time, because Modal would restart it without end."""
    what = f"`{call.label}` was started {tries - 1} times without progress, because its container dies"
    hint = f"the usual reason is too little memory: raise resources.{call.stage}.memory, and read `ftrun logs`"
    return StageOutcome("failed", "stage", (Problem("process-ended", what, hint=hint),))
