"""Runs stage calls as function calls: submits each once, and waits for it whoever submitted it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from ftrun.api.cancellation import StopSignal
from ftrun.api.errors import Problem
from ftrun.api.outcome import StageOutcome
from ftrun.api.paths import RunFolder
from ftrun.api.stage_call import StageCall
from ftrun.execution.scheduler import Tell
from ftrun_plugins.modal import function_calls
from ftrun_plugins.modal.claims import Claims, is_scheduler
from ftrun_plugins.modal.container.container_volume import LONGEST_WAIT, ContainerStore
from ftrun_plugins.modal.container.stage_container import GRACE
from ftrun_plugins.modal.submit_stage import Submitter

SECONDS_A_POLL = 2.0
SECONDS_BETWEEN_TRIES = 0.5
SECONDS_TO_LEAVE = GRACE + 15.0


class ModalRunner:
    """The `Runner` of a scheduler inside Modal; any number of calls at one time."""

    def __init__(
        self,
        own: str,
        mounted: ContainerStore,
        claims: Claims,
        submitter: Submitter,
        submitted: Callable[[str, str], None],
        tell: Tell,
        known: Iterable[str],
        begun: Iterable[str],
    ) -> None:
        self._own = own
        self._mounted = mounted
        self._claims = claims
        self._submitter = submitter
        self._submitted = submitted
        self._tell = tell
        self._mine = set(known)  # function calls of this run, by whomever they were submitted
        self._begun = set(begun)  # those that were submitted beside this scheduler: how they end counts
        self._leaving: dict[str, float] = {}  # generation -> when it was first seen to have been cancelled
        self._lock = threading.Lock()

    def capacity(self) -> tuple[float, int]:
        return float("inf"), 10**9

    def cancel_own(self) -> None:
        """Asks the calls of this run to end, those of other runs not."""
        with self._lock:
            mine = set(self._mine)
        for call_id in mine:
            function_calls.cancel(call_id)

    def run_stage(self, call: StageCall, run: RunFolder, stop: StopSignal) -> StageOutcome:
        """Sees a call to its end, through crashes of others and time-outs that left a new checkpoint."""
        told = ""
        while not stop.level:
            self._mounted.reload()
            if self._mounted.find(call.ref):
                return StageOutcome("done")
            before = self._mounted.last_checkpoint(call.ref)
            call_id = self._obtain(call)
            if call_id is None:
                time.sleep(SECONDS_BETWEEN_TRIES)
                continue
            if call_id not in self._mine and told != call_id:
                self._tell("call_waiting", call.label, run="of somebody else", function_call=call_id)
                told = call_id
            ended = self._wait(call_id, stop)
            if ended is None:
                break
            outcome = self._judged(call, ended, before)
            if outcome is not None:
                return outcome
            self._begun.discard(call_id)
        return StageOutcome("stopped")

    def _obtain(self, call: StageCall) -> str | None:
        """The function call that works on the key: one that lives, or a new one; None where that is not known yet."""
        claim = self._claims.latest(call.ref)
        if claim is None:
            return self._take(call, 1)
        if claim.call is not None:
            ended = function_calls.poll(claim.call)
            if ended is None or claim.call in self._begun:
                return claim.call
            if ended.how == "cancelled" and not self._has_left(call, claim.generation):
                return None  # a cancelled call has ended for Modal before its container has written its checkpoint
        elif claim.owner == self._own:
            return self._submit(call, claim.generation)  # cut off before it was written down; one of two will leave
        elif is_scheduler(claim.owner) and function_calls.is_alive(claim.owner):
            return None  # its owner is about to submit
        return self._take(call, claim.generation + 1)

    def _take(self, call: StageCall, generation: int) -> str | None:
        return self._submit(call, generation) if self._claims.take(call.ref, generation, self._own) else None

    def _has_left(self, call: StageCall, generation: int) -> bool:
        """Whether the container of a cancelled call has gone, or has had the time to go."""
        since = self._leaving.setdefault(f"{call.ref}#{generation}", time.monotonic())
        return self._claims.has_left(call.ref, generation) or time.monotonic() - since > SECONDS_TO_LEAVE

    def _submit(self, call: StageCall, generation: int) -> str:
        call_id = self._submitter.submit(call, generation)
        with self._lock:
            self._mine.add(call_id)
        self._submitted(call.label, call_id)
        self._tell("call_submitted", call.label, key=call.key, function_call=call_id)
        return call_id

    def _wait(self, call_id: str, stop: StopSignal) -> function_calls.CallResult | None:
        while not stop.level:
            ended = function_calls.poll(call_id, SECONDS_A_POLL)
            if ended is not None:
                return ended
        return None

    def _judged(self, call: StageCall, ended: function_calls.CallResult, before: int | None) -> StageOutcome | None:
        """The outcome; None where the call has to be looked at again."""
        answer = ended.answer or {}
        if ended.how == "answered" and answer.get("status") == "failed":
            problems = tuple(Problem.from_dict(problem) for problem in answer["problems"])
            return StageOutcome("failed", answer["fault"], problems)
        if ended.how == "answered":  # done, superseded, or stopped by another run: what is on the Volume decides
            self._mounted.reload()
            patience = LONGEST_WAIT if answer.get("status") == "done" else 0.0
            return StageOutcome("done") if self._mounted.find(call.ref, patience) else None
        if ended.how == "timed_out":
            self._mounted.reload()
            after = self._mounted.last_checkpoint(call.ref)
            if after is not None and after != before:
                self._tell("warning", call.label, text=f"timed out after a checkpoint at step {after}: submitted again")
                return None
            what = f"{call.label} ran longer than its time-out without a new checkpoint"
            return _failed(what, "raise resources.STAGE.timeout, or save more often, and resume")
        if ended.how == "crashed":
            return _failed(f"the container of {call.label} died: {_first_line(ended.reason)}", "resume goes on")
        return None  # cancelled by another run, or lost: the next generation is ours to take


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:300] if text.strip() else "no reason given"


def _failed(what: str, do: str) -> StageOutcome:
    return StageOutcome("failed", "stage", (Problem("timeout", what, hint=do),))
