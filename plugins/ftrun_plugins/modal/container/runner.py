"""Runner of stage calls as function calls: submits each call once, and also waits for calls of other runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from ftrun.api.cancellation import StopSignal
from ftrun.api.errors import Problem
from ftrun.api.outcome import StageOutcome
from ftrun.api.paths import RunFolder
from ftrun.api.stage_call import StageCall
from ftrun.execution.scheduler import Emit
from ftrun.utils.text import first_line
from ftrun_plugins.modal import function_calls
from ftrun_plugins.modal.claims import Claims, is_scheduler
from ftrun_plugins.modal.container.container_volume import MAX_WAIT, ContainerStore
from ftrun_plugins.modal.container.stage_container import GRACE
from ftrun_plugins.modal.submit_stage import Submitter

SECONDS_PER_POLL = 2.0
SECONDS_BETWEEN_TRIES = 0.5
SECONDS_TO_RELEASE = GRACE + 15.0


class ModalRunner:
    """`Runner` of a scheduler on Modal. It runs any number of calls at the same time."""

    def __init__(
        self,
        scheduler_id: str,
        volume: ContainerStore,
        claims: Claims,
        submitter: Submitter,
        record_submission: Callable[[str, str], None],
        emit: Emit,
        call_ids: Iterable[str],
        client_calls: Iterable[str],
    ) -> None:
        self._scheduler_id = scheduler_id
        self._volume = volume
        self._claims = claims
        self._submitter = submitter
        self._record_submission = record_submission
        self._emit = emit
        self._run_calls = set(call_ids)  # function calls of this run
        self._client_calls = set(client_calls)  # submitted for this scheduler by the client; their results count
        self._cancelled_at: dict[str, float] = {}  # generation -> time when its cancellation was noticed
        self._lock = threading.Lock()

    def capacity(self) -> tuple[float, int]:
        return float("inf"), 10**9

    def cancel_calls(self) -> None:
        """Cancel the function calls of this run, but not those of other runs."""
        with self._lock:
            call_ids = set(self._run_calls)
        for call_id in call_ids:
            function_calls.cancel(call_id)

    def run_stage(self, call: StageCall, run: RunFolder, stop: StopSignal) -> StageOutcome:
        """Run a call to its end. Submits it again after crashes in other runs and timeouts with a new checkpoint."""
        reported = ""
        while not stop.level:
            self._volume.reload()
            if self._volume.find(call.ref):
                return StageOutcome("done")
            checkpoint = self._volume.last_checkpoint(call.ref)
            call_id = self._obtain(call)
            if call_id is None:
                time.sleep(SECONDS_BETWEEN_TRIES)
                continue
            if call_id not in self._run_calls and reported != call_id:
                self._emit("call_waiting", call.label, run="of another client", function_call=call_id)
                reported = call_id
            result = self._wait(call_id, stop)
            if result is None:
                break
            if result.status == "cancelled" and self._claims.is_cancelled(run.id):
                break  # the client cancels this scheduler too, which may take longer
            outcome = self._classify(call, result, checkpoint)
            if outcome is not None:
                return outcome
            self._client_calls.discard(call_id)
        return StageOutcome("stopped")

    def _obtain(self, call: StageCall) -> str | None:
        """Return the function call that works on the key, a live or a new one, or None if it is not known yet."""
        claim = self._claims.latest(call.ref)
        if claim is None:
            return self._acquire(call, 1)
        if claim.call is not None:
            result = function_calls.poll(claim.call)
            if result is None or claim.call in self._client_calls:
                return claim.call
            if result.status == "cancelled" and not self._is_released(call, claim.generation):
                return None  # Modal reports the end of a cancelled call before its container has written a checkpoint
        elif claim.owner == self._scheduler_id:
            # this scheduler was preempted before it recorded the call; if there are two calls now, one of them exits
            return self._submit(call, claim.generation)
        elif is_scheduler(claim.owner) and function_calls.is_alive(claim.owner):
            return None  # its owner is about to submit
        return self._acquire(call, claim.generation + 1)

    def _acquire(self, call: StageCall, generation: int) -> str | None:
        acquired = self._claims.acquire(call.ref, generation, self._scheduler_id)
        return self._submit(call, generation) if acquired else None

    def _is_released(self, call: StageCall, generation: int) -> bool:
        """Return whether the container of a cancelled call has exited, or has had enough time to exit."""
        since = self._cancelled_at.setdefault(f"{call.ref}#{generation}", time.monotonic())
        return self._claims.is_released(call.ref, generation) or time.monotonic() - since > SECONDS_TO_RELEASE

    def _submit(self, call: StageCall, generation: int) -> str:
        call_id = self._submitter.submit(call, generation)
        with self._lock:
            self._run_calls.add(call_id)
        self._record_submission(call.label, call_id)
        self._emit("call_submitted", call.label, key=call.key, function_call=call_id)
        return call_id

    def _wait(self, call_id: str, stop: StopSignal) -> function_calls.CallResult | None:
        while not stop.level:
            result = function_calls.poll(call_id, SECONDS_PER_POLL)
            if result is not None:
                return result
        return None

    def _classify(
        self, call: StageCall, result: function_calls.CallResult, checkpoint: int | None
    ) -> StageOutcome | None:
        """Return the outcome of a function call, or None if the stage call is not finished.

        `checkpoint` is the step of the last checkpoint before the function call.
        """
        answer = result.answer or {}
        if result.status == "answered" and answer.get("status") == "failed":
            problems = tuple(Problem.from_dict(problem) for problem in answer["problems"])
            return StageOutcome("failed", answer["fault"], problems)
        if result.status == "answered":  # done, superseded, or stopped by another run: the artifact decides
            self._volume.reload()
            timeout = MAX_WAIT if answer.get("status") == "done" else 0.0
            return StageOutcome("done") if self._volume.find(call.ref, timeout) else None
        if result.status == "timed_out":
            self._volume.reload()
            latest = self._volume.last_checkpoint(call.ref)
            if latest is not None and latest != checkpoint:
                text = f"timed out after a new checkpoint at step {latest}, and is submitted again"
                self._emit("warning", call.label, text=text)
                return None
            what = f"`{call.label}` exceeded its timeout without a new checkpoint"
            return _fail("timeout", what, "raise resources.STAGE.timeout or save checkpoints more often, then resume")
        if result.status == "crashed":
            what = f"the container of `{call.label}` died: {first_line(result.reason) or 'no reason given'}"
            return _fail("process-ended", what, "`ftrun resume` continues the run")
        return None  # cancelled by another run, or lost: this run acquires the next generation


def _fail(code: str, what: str, hint: str) -> StageOutcome:
    return StageOutcome("failed", "stage", (Problem(code, what, hint=hint),))
