from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ftrun.api.cancellation import StopSignal
from ftrun.api.errors import Problem
from ftrun.api.outcome import StageOutcome
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import EnvironmentRef, Plan, Ref, ResourceRequest, StageCall
from ftrun.execution.scheduler import Scheduler
from ftrun.store.artifacts import describe, publish

SECONDS = 20.0  # after which a test that waits for another thread has failed


class FakeBackend:
    """Publishes an empty artifact for each call; `before` may hold a call up or fail it."""

    def __init__(
        self, store: Store, before: Callable[[StageCall], StageOutcome | None], room: tuple[float, int]
    ) -> None:
        self._store, self._before, self._room = store, before, room
        self._lock = threading.Lock()
        self.started: list[str] = []
        self.finished: list[str] = []
        self.now = 0
        self.most = 0

    def capacity(self) -> tuple[float, int]:
        return self._room

    def run_stage(self, call: StageCall, run: RunFolder, stop: StopSignal) -> StageOutcome:
        with self._lock:
            self.started.append(call.label)
            self.now += 1
            self.most = max(self.most, self.now)
        outcome = self._before(call) or StageOutcome("done")
        with self._lock:
            if outcome.status == "done":
                publish(self._store, call.ref, describe(self._store, call, run.id, 0.0, {}, (), {}))
            self.finished.append(call.label)
            self.now -= 1
        return outcome


def call(label: str, *inputs: StageCall, cpu: float = 1.0, gpus: int = 0) -> StageCall:
    return StageCall(
        stage="fake",
        version=1,
        params={"label": label},
        inputs={one.label: one.ref for one in inputs},
        environment=EnvironmentRef(name="client"),
        label=label,
        implementation="none:None",
        work=ResourceRequest(cpu=cpu, gpus=gpus),
    )


class Run:
    """One pass of the scheduler over calls."""

    def __init__(
        self,
        store: Store,
        *calls: StageCall,
        room: tuple[float, int] = (4.0, 0),
        before: Callable[[StageCall], StageOutcome | None] = lambda call: None,
    ) -> None:
        self.told: list[tuple[str, str | None]] = []
        self.stop = StopSignal()
        self.backend = FakeBackend(store, before, room)
        plan = Plan(recipe="mine", calls=calls)
        backend: Any = self.backend
        self.scheduler = Scheduler(store, plan, store.run("run"), backend, self.stop, self._tell)

    def _tell(self, kind: str, label: str | None, **values: Any) -> None:
        self.told.append((kind, label))

    def go(self) -> Run:
        self.scheduler.run()
        return self


def chain(*labels: str) -> list[StageCall]:
    found: list[StageCall] = []
    for label in labels:
        found.append(call(label, *found[-1:]))
    return found


def test_a_call_starts_when_its_inputs_are_there(store: Store) -> None:
    a, b, c = chain("a", "b", "c")
    run = Run(store, a, b, c).go()
    assert run.backend.started == ["a", "b", "c"]
    assert run.told == [("call_finished", "a"), ("call_finished", "b"), ("call_finished", "c")]
    assert not run.scheduler.failures


def test_a_call_starts_after_those_that_must_succeed_first(store: Store) -> None:
    check, other = call("check"), call("other")
    late = call("late", other).model_copy(update={"after": (check.ref,)})
    assert Run(store, late, other, check).go().backend.started == ["other", "check", "late"]


def test_a_call_does_not_start_if_one_that_must_succeed_first_fails(store: Store) -> None:
    check, late = call("check"), call("late").model_copy(update={"after": (call("check").ref,)})
    failure = StageOutcome("failed", "user", (Problem("bad", "it is bad"),))
    run = Run(store, check, late, before=lambda made: failure if made.label == "check" else None).go()
    assert run.backend.started == ["check"]


@pytest.mark.parametrize("cpu", [1.0, 2.0])
def test_a_check_that_nothing_needs_starts_before_a_training(cpu: float, store: Store) -> None:
    tokenize = call("tokenize")
    train = call("train", tokenize, cpu=cpu)
    run = Run(store, tokenize, train, call("merge", train), call("check", tokenize), room=(cpu, 0)).go()
    assert run.backend.started == ["tokenize", "check", "train", "merge"]


def test_calls_run_side_by_side_where_there_is_room(store: Store) -> None:
    together = threading.Barrier(3)  # passes only when all three are running
    run = Run(store, *(call(label) for label in "abc"), room=(3.0, 0), before=lambda _: together.wait(SECONDS) and None)
    assert run.go().backend.most == 3


@pytest.mark.parametrize(
    ("calls", "room", "most"),
    [
        pytest.param([call("a"), call("b"), call("c"), call("d")], (2.0, 0), 2, id="two cores"),
        pytest.param([call("a", cpu=2), call("b", cpu=2)], (3.0, 0), 1, id="cores do not suffice"),
        pytest.param([call("a", gpus=1), call("b", gpus=1)], (8.0, 1), 1, id="one GPU"),
        pytest.param([call("a", cpu=64), call("b")], (2.0, 0), 1, id="a call larger than the machine runs alone"),
        pytest.param([call("a", gpus=8), call("b", gpus=8)], (2.0, 0), 1, id="more GPUs than there are"),
    ],
)
def test_as_many_begin_at_once_as_fit(calls: list[StageCall], room: tuple[float, int], most: int, store: Store) -> None:
    begun = threading.Event()
    run = Run(store, *calls, room=room, before=lambda _: begun.wait(SECONDS) and None)
    start_ready, at_once = run.scheduler._start_ready, []

    def noting(pool: ThreadPoolExecutor) -> None:
        start_ready(pool)
        at_once.append(len(run.scheduler._running))  # of the first pass none can have ended
        begun.set()

    run.scheduler._start_ready = noting
    run.go()
    assert at_once[0] == most
    assert sorted(run.backend.finished) == [one.label for one in calls]


def test_a_cached_call_is_not_run_and_makes_the_next_ready(store: Store) -> None:
    a, b, c = chain("a", "b", "c")
    Run(store, a, b).go()
    run = Run(store, a, b, c).go()
    assert run.backend.started == ["c"]
    assert run.told == [("call_cached", "a"), ("call_cached", "b"), ("call_finished", "c")]


def test_what_a_killed_process_left_beside_its_artifact_is_removed(store: Store) -> None:
    (a,) = chain("a")
    Run(store, a).go()
    left = store.scratch(a.ref).work
    left.mkdir(parents=True)
    Run(store, a).go()
    assert not left.parent.exists()


def test_a_call_whose_input_is_gone_waits_for_it_to_be_made_again(store: Store) -> None:
    a, b = chain("a", "b")
    Run(store, a, b).go()
    (store.artifact(a.ref) / "manifest.json").unlink()
    run = Run(store, a, b).go()
    assert run.told == [("call_finished", "a"), ("call_cached", "b")]


def test_the_first_failure_starts_nothing_new_and_keeps_what_runs(store: Store) -> None:
    failed = threading.Event()

    def before(one: StageCall) -> StageOutcome | None:
        if one.label == "bad":
            return StageOutcome("failed", "stage", (Problem("stage-error", "broken"),))
        assert failed.wait(SECONDS)  # ends after the failure was told
        return None

    run = Run(store, bad := call("bad"), call("long"), call("behind", bad), call("later", cpu=8), before=before)
    tell = run._tell

    def noting(kind: str, label: str | None, **values: Any) -> None:
        tell(kind, label, **values)
        if kind == "call_failed":
            failed.set()

    run.scheduler._emit = noting
    run.go()
    assert sorted(run.backend.started) == ["bad", "long"]
    assert run.told == [("call_failed", "bad"), ("call_finished", "long")]
    assert [(one.label, outcome.problems[0].what) for one, outcome in run.scheduler.failures] == [("bad", "broken")]
    assert run.stop.level == 1  # what still runs was asked to stop


def test_a_wish_to_stop_starts_nothing_new(store: Store) -> None:
    run = Run(store, *chain("a", "b"))

    def before(one: StageCall) -> StageOutcome:
        run.stop.raise_level()
        return StageOutcome("stopped")

    run.backend._before = before
    run.go()
    assert run.backend.started == ["a"]
    assert run.told == [("call_stopped", "a")]


def test_a_run_that_was_stopped_before_it_began_runs_nothing(store: Store) -> None:
    run = Run(store, call("a"))
    run.stop.raise_level()
    assert run.go().backend.started == []


def test_a_plan_without_calls_ends(store: Store) -> None:
    assert Run(store).go().told == []


def test_wishes_to_stop_rise_to_two_and_never_fall() -> None:
    stop, levels = StopSignal(), []
    for level in (None, 0, None, 1, None):
        stop.raise_level(level)
        levels.append(stop.level)
    assert levels == [1, 1, 2, 2, 2]


def test_a_ref_is_shown_as_its_place() -> None:
    assert str(Ref(stage="train", key="k")) == "train/k"
