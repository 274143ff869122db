"""One try of a stage call in its container: claims the key, runs the stage's process, publishes what it made."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from ftrun.api.cancellation import StopSignal
from ftrun.api.errors import Problem
from ftrun.api.events import make
from ftrun.api.outcome import StageOutcome
from ftrun.api.stage_call import StageCall
from ftrun.execution.stage_subprocess import ProcessSpec, StageProcess
from ftrun.store.artifacts import Manifest, publish
from ftrun.utils.atomic_io import read_json
from ftrun_plugins.modal.claims import Claims
from ftrun_plugins.modal.container.container_volume import LONGEST_WAIT, ContainerStore
from ftrun_plugins.modal.container.worker_thread import WorkerThread
from ftrun_plugins.modal.event_protocol import Markers, marked
from ftrun_plugins.modal.requests import StageAnswer, StageRequest

GRACE = 22.0  # seconds for a checkpoint; Modal gives 30 for it and for what follows
COMMITTED_ON = ("checkpoint", "warning", "gate", "tracker")  # events after which the Volume is committed
SECONDS_FOR_FILES = 120.0  # small ones are still uploaded while containers start
SECONDS_BETWEEN_LOOKS = 0.1


class StageRun:
    """One try. Modal runs it again, under the same id, when the container was preempted or crashed."""

    def __init__(self, request: StageRequest) -> None:
        self._request = request
        self._call = request.call
        self._mounted = ContainerStore(request.volume)
        self._folder = self._mounted.store.run(request.run)
        self._markers = Markers()

    def run(self) -> StageAnswer:
        import modal

        own = str(modal.current_function_call_id())
        claims = Claims(self._request.claims)
        working = claims.begin(self._call.ref, self._request.generation, own)
        rival = working if working != own else claims.rival(self._call.ref, self._request.generation)
        if rival is not None:
            return StageAnswer(status="superseded", superseded_by=rival)
        try:
            self._mounted.reload()
            tries = claims.count_try(
                self._call.ref, self._request.generation, self._mounted.last_checkpoint(self._call.ref)
            )
            return self._run() if tries <= self._request.most_tries else self._answer(_dies(self._call, tries))
        finally:
            claims.leave(self._call.ref, self._request.generation)

    def _run(self) -> StageAnswer:
        if self._mounted.find(self._call.ref):
            return StageAnswer(status="done")
        missing = [role for role, ref in self._call.inputs.items() if not self._mounted.find(ref, LONGEST_WAIT)]
        if missing:
            return self._answer(_lost_inputs(self._call, missing))
        self._tell("call_started", key=self._call.key)
        files = self._call.local_files.items()
        lost = [path for digest, path in files if not self._mounted.has_file(digest, SECONDS_FOR_FILES)]
        return self._answer(_lost_files(self._request.run, lost) if lost else self._work())

    def _work(self) -> StageOutcome:
        """Runs the stage's process; while it runs, checkpoints are committed as they are marked."""
        scratch = self._mounted.store.scratch(self._call.ref)
        scratch.manifest.unlink(missing_ok=True)
        place = ProcessSpec(
            python=Path(sys.executable),
            log=self._folder.log(self._call.label),
            variables={name: os.environ[name] for name in _own_variables()},
            listen=self._heard,
            publishes=False,
            grace=GRACE,
        )
        stop = StopSignal()
        process = StageProcess(self._mounted.store, self._with_files_here(), self._request.run, place)
        outcome = self._attended(process, stop)
        if outcome.status == "done":
            manifest = Manifest.model_validate(read_json(scratch.manifest))
            publish(self._mounted.store, self._call.ref, manifest, self._mounted.commit)
            scratch.discard()
        self._mounted.commit()
        return outcome

    def _attended(self, process: StageProcess, stop: StopSignal) -> StageOutcome:
        """Waits in a thread, for Modal raises into this one: the wish to end becomes a checkpoint."""
        work = WorkerThread(lambda: process.wait(stop))
        try:
            while not work.wait(SECONDS_BETWEEN_LOOKS):
                pass
        except BaseException:  # preempted (KeyboardInterrupt) or cancelled (InputCancellation)
            stop.raise_level(1)
            work.wait()
            self._mounted.commit()
            raise
        return work.result()

    def _heard(self, piece: bytes) -> None:
        """Output of the stage goes on to the function's logs; its events also into the run's folder."""
        sys.stdout.buffer.write(piece)
        sys.stdout.flush()
        events = list(self._markers.read(piece))
        self._keep(events)
        if any(event["kind"] in COMMITTED_ON for event in events):
            self._mounted.commit()

    def _keep(self, events: list[dict[str, object]]) -> None:
        if not events:
            return
        path = self._folder.events_of(self._call.label)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(event) + "\n" for event in events)

    def _tell(self, kind: str, **values: object) -> None:
        event = make(kind, self._call.label, **values)
        os.write(sys.stdout.fileno(), marked(event))
        self._keep([event])

    def _with_files_here(self) -> StageCall:
        """Outside files lie on the Volume under their digests; addresses stay what they are."""
        here = {digest: str(self._mounted.store.file(digest)) for digest in self._call.local_files}
        without_limit = self._call.work.model_copy(update={"timeout": None})  # Modal's own time-out ends it
        return self._call.model_copy(update={"files": {**self._call.files, **here}, "work": without_limit})

    def _answer(self, outcome: StageOutcome) -> StageAnswer:
        values = asdict(outcome)
        return StageAnswer(
            status=outcome.status,
            fault=outcome.fault,
            problems=tuple(values["problems"]),
        )


def _own_variables() -> Iterator[str]:
    """Variables that the environment's image sets, by the list that it carries."""
    yield from (name for name in os.environ.get("FTRUN_VARIABLES", "").split(",") if name in os.environ)


def _lost_inputs(call: StageCall, missing: list[str]) -> StageOutcome:
    what = f"inputs of {call.label} are not on the Volume: {', '.join(missing)}"
    return StageOutcome("failed", "store", (Problem("missing-artifact", what, hint="`ftrun resume` makes them again"),))


def _lost_files(run: str, paths: list[Path]) -> StageOutcome:
    what = f"not uploaded: {', '.join(map(str, paths))}"
    return StageOutcome(
        "failed", "user", (Problem("missing-artifact", what, hint=f"ftrun resume {run}, from the machine that has it"),)
    )


def _dies(call: StageCall, tries: int) -> StageOutcome:
    """Modal begins the work of a container that crashed again and again: somebody has to end it."""
    what = f"{call.label} was begun {tries - 1} times and got no further: its container dies"
    do = f"often it lacks memory: raise resources.{call.stage}.memory; `ftrun logs` has its last lines"
    return StageOutcome("failed", "stage", (Problem("missing-artifact", what, hint=do),))
