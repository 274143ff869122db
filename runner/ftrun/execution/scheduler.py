"""Scheduler of a plan: runs calls in parallel within the capacity of the machine and stops at the first failure."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from ftrun.api.backends import Runner
from ftrun.api.cancellation import StopSignal
from ftrun.api.outcome import StageOutcome
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import Plan, Ref, StageCall
from ftrun.store.artifacts import find

Emit = Callable[..., object]  # event kind, call label, further values


class Scheduler:
    """One pass over a plan. `emit` receives the events of the calls."""

    def __init__(
        self, store: Store, plan: Plan, folder: RunFolder, runner: Runner, stop: StopSignal, emit: Emit
    ) -> None:
        self._store = store
        self._folder = folder
        self._runner = runner
        self._stop = stop
        self._emit = emit
        self._waiting = list(plan.calls)
        self._needed = {ref for call in plan.calls for ref in call.requirements}
        self._done: set[Ref] = set()
        self._running: dict[Future[StageOutcome], StageCall] = {}
        self.failures: list[tuple[StageCall, StageOutcome]] = []

    def run(self) -> None:
        """Run the calls of the plan; return when no call is running and no other call can start."""
        with ThreadPoolExecutor(max_workers=16) as pool:
            while True:
                if not self._stop.level and not self.failures:
                    self._start_ready(pool)
                if not self._running:
                    return
                finished, _ = wait(self._running, return_when=FIRST_COMPLETED)  # no other call can start before that
                for future in finished:
                    self._finish(self._running.pop(future), future.result())

    def _start_ready(self, pool: ThreadPoolExecutor) -> None:
        started = True
        while started:  # a cached call can make others ready
            started = False
            ready = [call for call in self._waiting if self._done.issuperset(call.requirements)]
            for call in sorted(ready, key=self._rank):
                if find(self._store, call.ref):
                    self._emit("call_cached", call.label, key=call.key)
                    self._store.scratch(call.ref).discard()  # left behind if a process was killed after it published
                    self._waiting.remove(call)
                    self._done.add(call.ref)
                    started = True
                elif self._fits(call):
                    self._waiting.remove(call)
                    self._running[pool.submit(self._runner.run_stage, call, self._folder, self._stop)] = call

    def _rank(self, call: StageCall) -> tuple[int, float, bool]:
        """Return the order in which ready calls start, so that a check does not wait for a training.

        Small calls start first, and among equal ones those that no other call needs: they can only end the run.
        """
        return call.work.gpus, call.work.cpu, call.ref in self._needed

    def _fits(self, call: StageCall) -> bool:
        """Return whether a call can run beside the running calls; a call that is larger than the machine runs alone."""
        cpus, gpus = self._runner.capacity()
        busy = [other.work for other in self._running.values()]
        cpu_fits = sum(work.cpu for work in busy) + call.work.cpu <= cpus
        gpu_fits = sum(work.gpus for work in busy) + call.work.gpus <= gpus
        return not busy or (cpu_fits and gpu_fits)

    def _finish(self, call: StageCall, outcome: StageOutcome) -> None:
        if outcome.status == "done":
            self._done.add(call.ref)
            self._emit("call_finished", call.label, key=call.key)
            return
        self.failures.append((call, outcome))
        kind = "call_stopped" if outcome.status == "stopped" else "call_failed"
        self._emit(kind, call.label, problems=[problem.as_dict() for problem in outcome.problems])
        self._stop.raise_level(1)
