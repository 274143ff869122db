"""Scheduler of a run on Modal. It is the scheduler of local runs, with function calls as stage calls.

It runs in a small CPU container that may be preempted at any time. Its whole state is on the Volume and in the claims,
so that a second start finds the calls that the first one submitted.
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
from ftrun_plugins.modal.event_protocol import encode_event
from ftrun_plugins.modal.requests import LaunchRequest, record_call
from ftrun_plugins.modal.retry import retry
from ftrun_plugins.modal.submit_stage import Submitter

SECONDS_BETWEEN_POLLS = 0.1


class RemoteScheduler:
    """Scheduler in one function call of `launch`."""

    def __init__(self, request: LaunchRequest) -> None:
        import modal

        self._request = request
        self._call_id = str(modal.current_function_call_id())
        self._volume = ContainerStore(request.options.volume)
        self._claims = Claims(request.claims)
        self._folder = self._volume.store.run(request.record.id)
        self._stop = StopSignal()
        self._record_lock = threading.Lock()
        self.record = request.record

    def run(self) -> dict[str, Any]:
        """Run the missing calls of the plan. Return the status, or the function call that continues the run."""
        self._volume.reload()
        self.record = self._open_record()
        call_ids = [call_id for ids in self.record.remote["calls"].values() for call_id in ids]
        submitter = Submitter(self._request, self._claims)
        client_calls = [event["function_call"] for event in self._request.submitted]
        runner = ModalRunner(
            self._call_id,
            self._volume,
            self._claims,
            submitter,
            self._record_submission,
            self._emit,
            call_ids,
            client_calls,
        )
        scheduler = WorkerThread(lambda: self._schedule(runner))
        end = time.monotonic() + self._request.hours * 3600
        try:
            while not scheduler.wait(SECONDS_BETWEEN_POLLS):
                if time.monotonic() > end:
                    self._stop_scheduling(scheduler)
                    return self._hand_over()
        except BaseException:  # Modal raises preemption (KeyboardInterrupt) and cancellation (InputCancellation) here
            self._stop_scheduling(scheduler)
            if self._claims.is_cancelled(self._folder.id):
                runner.cancel_calls()
                self._close(None, "interrupted")
            raise
        self._close(scheduler.result(), None)
        return {"status": self.record.status}

    def _open_record(self) -> RunRecord:
        """Add this function call to the record on the Volume, or to the first record of the run, and save it."""
        content = read_json(self._folder.record)
        record = RunRecord.model_validate(content) if content else self._request.record
        if content is None:
            (self._folder.root / "logs").mkdir(parents=True, exist_ok=True)
            text = yaml.safe_dump(self._request.recipe, sort_keys=False, allow_unicode=True)
            write_text(self._folder.recipe, text)
            write_text(self._folder.plan, self._request.plan.model_dump_json(indent=1))
        launches, calls = record.remote.get("launches", []), record.remote.get("calls", {}) if content else {}
        for event in self._request.submitted:
            if record_call(calls, event["call"], event["function_call"]):
                self._print(add(self._folder.events, event))
        record.remote = {
            **self._request.record.remote,
            "app": self._request.app,
            "launches": [*launches, *([] if self._call_id in launches else [self._call_id])],
            "calls": calls,
        }
        record.status, record.ended, record.problems = "running", None, ()
        record.started = record.started or time.time()
        runs.save(self._folder, record)
        self._volume.commit()
        return record

    def _schedule(self, runner: ModalRunner) -> FtrunError | None:
        try:
            return run_plan(self._volume.store, self._folder, self._request.plan, runner, self._stop, self._emit)
        except FtrunError as error:
            return error

    def _record_submission(self, label: str, call_id: str) -> None:
        """Save a function call in the record before anything waits for it."""
        with self._record_lock:
            record_call(self.record.remote["calls"], label, call_id)
            runs.save(self._folder, self.record)
        self._volume.commit()

    def _emit(self, kind: str, call: str | None = None, /, **values: Any) -> None:
        if kind == "call_cached" and call in {event["call"] for event in self._request.submitted}:
            kind = "call_finished"  # this run finished it before its scheduler checked
        self._print(append(self._folder.events, kind, call, **values))

    def _print(self, event: Event) -> None:
        os.write(sys.stdout.fileno(), encode_event(event))
        self._warn(dispatch_event(shipped_plugins(), self._folder.id, event))

    def _warn(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._emit("warning", text=warning_text(problem))

    def _stop_scheduling(self, scheduler: WorkerThread[FtrunError | None]) -> None:
        """Stop scheduling. The stage calls continue without a scheduler."""
        self._stop.raise_level(2)
        scheduler.wait()

    def _hand_over(self) -> dict[str, Any]:
        import modal

        launch = modal.Function.from_name(
            self._request.app, "launch", environment_name=self._request.options.environment
        )
        request = self._request.model_copy(update={"record": self.record})
        successor = retry(lambda: launch.spawn(request.pack())).object_id
        self._emit("launch_continued", function_call=successor)
        self._volume.commit()
        return {"status": "continued", "function_call": successor}

    def _close(self, error: FtrunError | None, status: runs.Status | None) -> None:
        close_record(self.record, self._volume.store, self._request.plan, error)
        self.record.status = status or self.record.status
        price_run(self.record, self._request.plan, self._folder, self._request.options.prices)
        runs.save(self._folder, self.record)
        save_report(self._folder, reader(self._volume.store), self._emit)
        self._emit("run_finished", status=self.record.status)
        self._warn(shipped_plugins().emit("ftrun_run_finished", run_id=self._folder.id, status=self.record.status))
        self._volume.commit()
