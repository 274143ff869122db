"""The scheduler of a run inside Modal: the same as on a laptop, over stage calls that are function calls.

It is a small CPU container that may be preempted at any moment: everything that it needs to go on is on the Volume and
in the claims, so that a second start finds the calls that the first one made.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any

import yaml

from ftrun.api.cancellation import StopSignal
from ftrun.api.errors import FtrunError, Problem
from ftrun.api.events import Event, add, append
from ftrun.execution.engine import close_record, dispatch_event, run_plan, warning_text
from ftrun.plugins.manager import shipped_plugins
from ftrun.report.page import save_report
from ftrun.store import runs
from ftrun.store.artifacts import reader
from ftrun.store.runs import RunRecord
from ftrun.utils.atomic_io import read_json, write_text
from ftrun_plugins.modal.claims import Claims
from ftrun_plugins.modal.client.costs import price_run
from ftrun_plugins.modal.container.container_volume import ContainerStore
from ftrun_plugins.modal.container.runner import ModalRunner
from ftrun_plugins.modal.container.worker_thread import WorkerThread
from ftrun_plugins.modal.event_protocol import marked
from ftrun_plugins.modal.requests import LaunchRequest, note
from ftrun_plugins.modal.retry import retry
from ftrun_plugins.modal.submit_stage import Submitter

SECONDS_BETWEEN_LOOKS = 0.1


class RemoteScheduler:
    """One function call of `launch`."""

    def __init__(self, request: LaunchRequest) -> None:
        import modal

        self._request = request
        self._own = str(modal.current_function_call_id())
        self._mounted = ContainerStore(request.options.volume)
        self._claims = Claims(request.claims)
        self._folder = self._mounted.store.run(request.record.id)
        self._stop = StopSignal()
        self._saving = threading.Lock()
        self.record = request.record

    def run(self) -> dict[str, Any]:
        """Runs what the plan still lacks; returns how it ended, or the call that goes on with it."""
        self._mounted.reload()
        self.record = self._opened()
        known = [call_id for ids in self.record.remote["calls"].values() for call_id in ids]
        submitter = Submitter(self._request, self._claims)
        begun = [event["function_call"] for event in self._request.submitted]
        runner = ModalRunner(
            self._own, self._mounted, self._claims, submitter, self._submitted, self._tell, known, begun
        )
        scheduler = WorkerThread(lambda: self._schedule(runner))
        end = time.monotonic() + self._request.hours * 3600
        try:
            while not scheduler.wait(SECONDS_BETWEEN_LOOKS):
                if time.monotonic() > end:
                    self._leave(scheduler)
                    return self._hand_over()
        except BaseException:  # preempted (KeyboardInterrupt) or cancelled (InputCancellation): raised into this thread
            self._leave(scheduler)
            if self._claims.is_cancelled(self._folder.id):
                runner.cancel_own()
                self._close(None, "interrupted")
            raise
        self._close(scheduler.result(), None)
        return {"status": self.record.status}

    def _opened(self) -> RunRecord:
        """The record on the Volume, or the run's first one; this function call is added to it."""
        known = read_json(self._folder.record)
        record = RunRecord.model_validate(known) if known else self._request.record
        if known is None:
            (self._folder.root / "logs").mkdir(parents=True, exist_ok=True)
            text = yaml.safe_dump(self._request.recipe, sort_keys=False, allow_unicode=True)
            write_text(self._folder.recipe, text)
            write_text(self._folder.plan, self._request.plan.model_dump_json(indent=1))
        launches, calls = record.remote.get("launches", []), record.remote.get("calls", {}) if known else {}
        for event in self._request.submitted:
            if note(calls, event["call"], event["function_call"]):
                self._print(add(self._folder.events, event))
        record.remote = {
            **self._request.record.remote,
            "app": self._request.app,
            "launches": [*launches, *([] if self._own in launches else [self._own])],
            "calls": calls,
        }
        record.status, record.ended, record.problems = "running", None, ()
        record.started = record.started or time.time()
        runs.save(self._folder, record)
        self._mounted.commit()
        return record

    def _schedule(self, runner: ModalRunner) -> FtrunError | None:
        try:
            return run_plan(self._mounted.store, self._folder, self._request.plan, runner, self._stop, self._tell)
        except FtrunError as error:
            return error

    def _submitted(self, label: str, call_id: str) -> None:
        """Writes down a function call before anything waits for it."""
        with self._saving:
            note(self.record.remote["calls"], label, call_id)
            runs.save(self._folder, self.record)
        self._mounted.commit()

    def _tell(self, kind: str, call: str | None = None, /, **values: Any) -> None:
        if kind == "call_cached" and call in {event["call"] for event in self._request.submitted}:
            kind = "call_finished"  # by this run, before its scheduler looked
        self._print(append(self._folder.events, kind, call, **values))

    def _print(self, event: Event) -> None:
        os.write(sys.stdout.fileno(), marked(event))
        self._warn(dispatch_event(shipped_plugins(), self._folder.id, event))

    def _warn(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._tell("warning", text=warning_text(problem))

    def _leave(self, scheduler: WorkerThread[FtrunError | None]) -> None:
        """Stops scheduling; the stage calls go on without a scheduler."""
        self._stop.raise_level(2)
        scheduler.wait()

    def _hand_over(self) -> dict[str, Any]:
        import modal

        launch = modal.Function.from_name(
            self._request.app, "launch", environment_name=self._request.options.environment
        )
        request = self._request.model_copy(update={"record": self.record})
        successor = retry(lambda: launch.spawn(request.packed())).object_id
        self._tell("launch_continued", function_call=successor)
        self._mounted.commit()
        return {"status": "continued", "function_call": successor}

    def _close(self, error: FtrunError | None, status: runs.Status | None) -> None:
        close_record(self.record, self._mounted.store, self._request.plan, error)
        self.record.status = status or self.record.status
        price_run(self.record, self._request.plan, self._folder, self._request.options.prices)
        runs.save(self._folder, self.record)
        save_report(self._folder, reader(self._mounted.store), self._tell)
        self._tell("run_finished", status=self.record.status)
        self._warn(shipped_plugins().tell("ftrun_run_finished", run_id=self._folder.id, status=self.record.status))
        self._mounted.commit()
