"""Stage calls in real processes of this interpreter, by the local backend."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.cancellation import StopSignal
from ftrun.api.errors import FtrunError, Interrupted, InvalidInput, Problem, StageError, StoreError
from ftrun.api.events import Event, follow, read
from ftrun.api.outcome import StageOutcome
from ftrun.api.paths import RunFolder, Store
from ftrun.api.recipe import Environment
from ftrun.api.stage_call import ResourceRequest, StageCall
from ftrun.store.artifacts import find
from ftrun.store.locks import is_held
from ftrun.utils.digests import sha256_of
from ftrun_plugins.local.backend import LocalBackend

Calls = Callable[..., StageCall]
Runs = Callable[[], RunFolder]
SECONDS = 30.0  # after which a wait has failed


@pytest.fixture(params=[(), ("colorsys",)], ids=["fresh", "forked"])
def environments(request: pytest.FixtureRequest) -> dict[str, Environment]:
    """Environments whose processes start by themselves, and such whose are forked from one that imported a module."""
    return {"client": Environment(python="client", preload=request.param)}


@pytest.fixture
def backend(store: Store, environments: dict[str, Environment]) -> LocalBackend:
    return LocalBackend(LocalBackend.Options(), environments, store)


def events(run: RunFolder) -> list[str]:
    return [event["kind"] for event in read(run.events)]


def test_what_a_stage_wrote_is_published_whole(tiny: Calls, new_run: Runs, backend: LocalBackend, store: Store) -> None:
    call, run = tiny("publish"), new_run()
    assert backend.run_stage(call, run, StopSignal()) == StageOutcome("done")
    manifest = find(store, call.ref)
    assert manifest is not None
    assert [file.path for file in manifest.files] == ["inner/x.txt", "left by try 1"]
    assert (store.artifact(call.ref) / "inner" / "x.txt").read_text() == "made"
    assert manifest.identity == call.identity
    assert (manifest.run, manifest.metrics) == (run.id, {"rows": 3})
    assert [(gate.name, gate.met) for gate in manifest.gates] == [("good", True)]
    assert "a line for the log" in run.log("tiny").read_text()
    assert events(run) == ["call_started", "metric", "gate", "artifact"]
    assert not store.scratch(call.ref).root.exists()


def test_a_stage_reads_its_inputs(tiny: Calls, new_run: Runs, backend: LocalBackend, store: Store) -> None:
    first = tiny("publish")
    second = tiny("copy", "second", inputs={"data": first.ref})
    for call in (first, second):
        assert backend.run_stage(call, new_run(), StopSignal()).status == "done"
    assert (store.artifact(second.ref) / "copy.txt").read_text() == "made"


def test_a_file_that_changes_while_it_is_read_makes_no_artifact(
    tiny: Calls, new_run: Runs, backend: LocalBackend, store: Store, tmp_path: Path
) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text("a row")
    key = sha256_of(data)
    ends, found = [], []
    for changes in (False, True):
        call = tiny("read", files={key: str(data)}, digest=key, changes=changes)
        ends.append(backend.run_stage(call, new_run(), StopSignal()))
        found.append(find(store, call.ref) is not None)
    assert ends[0] == StageOutcome("done")
    assert [problem.code for problem in ends[1].problems] == ["content-changed"]
    assert found == [True, False]


def test_bad_data_is_the_users_fault_and_keeps_every_word(
    tiny: Calls, new_run: Runs, backend: LocalBackend, store: Store
) -> None:
    call = tiny("refuse")
    outcome = backend.run_stage(call, new_run(), StopSignal())
    told = (
        Problem("bad-row", "row is bad", "rows.jsonl:3", "a good row", ("goood",), "fix it"),
        Problem("another", "more"),
    )
    assert outcome == StageOutcome("failed", "user", told)
    assert find(store, call.ref) is None


def test_an_exception_is_the_stages_fault_with_its_trace_in_the_log(
    tiny: Calls, new_run: Runs, backend: LocalBackend, store: Store
) -> None:
    call, run = tiny("fail"), new_run()
    outcome = backend.run_stage(call, run, StopSignal())
    assert outcome == StageOutcome("failed", "stage", (Problem("stage-error", "ValueError: boom\nand more"),))
    assert "Traceback" in run.log("tiny").read_text()
    assert find(store, call.ref) is None


def test_a_known_error_is_explained_and_its_trace_is_in_the_log(
    tiny: Calls, new_run: Runs, backend: LocalBackend
) -> None:
    run = new_run()
    outcome = backend.run_stage(tiny("exceed"), run, StopSignal())
    (problem,) = outcome.problems
    assert (outcome.fault, problem.code) == ("stage", "out-of-memory")
    assert "resources.tiny.gpu" in str(problem.hint)
    assert "Traceback" in run.log("tiny").read_text()


def test_a_value_that_the_trainer_refuses_is_the_users_fault(tiny: Calls, new_run: Runs, backend: LocalBackend) -> None:
    run = new_run()
    outcome = backend.run_stage(tiny("reject", trainer={"lora_r": "eight"}), run, StopSignal())
    (problem,) = outcome.problems
    assert (outcome.fault, problem.code, problem.at) == ("user", "invalid-value", "train.lora_r")
    assert "Traceback" in run.log("tiny").read_text()


def test_the_reason_of_a_crash_is_read_from_the_log(tiny: Calls, new_run: Runs, backend: LocalBackend) -> None:
    run = new_run()
    (problem,) = backend.run_stage(tiny("lose"), run, StopSignal()).problems
    assert (problem.code, problem.at) == ("gpu-communication", str(run.log("tiny")))


def test_the_log_of_an_earlier_attempt_is_no_reason(tiny: Calls, new_run: Runs, backend: LocalBackend) -> None:
    run = new_run()
    run.log("tiny").parent.mkdir(parents=True, exist_ok=True)
    run.log("tiny").write_text("CUDA out of memory. Tried to allocate 2.00 GiB.\n")
    (problem,) = backend.run_stage(tiny("leave"), run, StopSignal()).problems
    assert problem.code == "process-ended"


@pytest.mark.parametrize(("action", "code"), [("kill", "out-of-memory"), ("leave", "process-ended")])
def test_a_kill_for_lack_of_memory_is_told_from_another_end(
    action: str, code: str, tiny: Calls, new_run: Runs, backend: LocalBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter([3, 4])  # before and after the process; the machine of the tests has enough memory
    monkeypatch.setattr("ftrun.execution.stage_subprocess.count_memory_kills", lambda: next(counts))
    (problem,) = backend.run_stage(tiny(action), new_run(), StopSignal()).problems
    assert problem.code == code


def test_a_full_disk_is_the_stores_fault(tiny: Calls, new_run: Runs, backend: LocalBackend) -> None:
    outcome = backend.run_stage(tiny("fill"), new_run(), StopSignal())
    assert (outcome.status, outcome.fault) == ("failed", "store")
    assert "the disk is full" in outcome.problems[0].what


def test_a_full_disk_is_known_from_the_log(tiny: Calls, new_run: Runs, backend: LocalBackend) -> None:
    outcome = backend.run_stage(tiny("fill_and_die"), new_run(), StopSignal())
    assert (outcome.status, outcome.fault, outcome.problems[0].code) == ("failed", "store", "disk-full")


def test_a_full_disk_gets_the_space_of_what_no_attempt_needs(
    tiny: Calls, new_run: Runs, backend: LocalBackend, store: Store
) -> None:
    call = tiny("fill_with_leftovers")
    backend.run_stage(call, new_run(), StopSignal())
    assert not store.scratch(call.ref).output.exists()
    assert [path.name for path in store.scratch(call.ref).work.iterdir()] == ["tries"]


def test_a_process_that_leaves_without_an_outcome_has_failed(tiny: Calls, new_run: Runs, backend: LocalBackend) -> None:
    run = new_run()
    outcome = backend.run_stage(tiny("leave"), run, StopSignal())
    assert (outcome.status, outcome.fault) == ("failed", "stage")
    assert "ended with exit code 3" in outcome.problems[0].what
    assert outcome.problems[0].at == str(run.log("tiny"))


def test_a_killed_process_leaves_no_artifact_and_its_next_try_goes_on(
    tiny: Calls, new_run: Runs, backend: LocalBackend, store: Store
) -> None:
    call = tiny("kill")
    outcome = backend.run_stage(call, new_run(), StopSignal())
    assert "was killed by SIGKILL" in outcome.problems[0].what
    assert find(store, call.ref) is None
    assert not store.artifact(call.ref).exists()
    assert not is_held(store.lock(call.ref))
    assert backend.run_stage(call, new_run(), StopSignal()).status == "done"
    manifest = find(store, call.ref)
    assert manifest is not None
    # the second try saw the first one's work, and nothing of its half output
    assert [file.path for file in manifest.files] == ["inner/x.txt", "left by try 2"]


def test_a_time_out_ends_the_call(tiny: Calls, new_run: Runs, backend: LocalBackend) -> None:
    outcome = backend.run_stage(tiny("stop_never", work=ResourceRequest(timeout=1)), new_run(), StopSignal())
    assert "ran longer than its time-out of 1 s" in outcome.problems[0].what


@pytest.mark.parametrize(("do", "level"), [("stop_well", 1), ("stop_never", 2)])
def test_a_wish_to_stop_reaches_the_process(
    do: str, level: int, tiny: Calls, new_run: Runs, backend: LocalBackend, store: Store
) -> None:
    call, run, stop = tiny(do), new_run(), StopSignal()
    with _in_background(backend, call, run, stop) as running:
        _wait_for(run, "ready")
        stop.raise_level(level)
        assert running.result(SECONDS) == StageOutcome("stopped")
    assert find(store, call.ref) is None
    assert store.scratch(call.ref).work.is_dir()  # for the next try


def test_a_process_sees_named_secrets_and_no_other_variable(
    tiny: Calls, new_run: Runs, backend: LocalBackend, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NAMED_SECRET", "OTHER_SECRET", "PYTHONPATH", "AXOLOTL_SOMETHING"):
        monkeypatch.setenv(name, "value")
    call = tiny("environment", secrets=("NAMED_SECRET", "ABSENT_SECRET"))
    assert backend.run_stage(call, new_run(), StopSignal()).status == "done"
    seen = json.loads((store.artifact(call.ref) / "environment.json").read_text())
    assert seen["NAMED_SECRET"] == "value"
    assert {"OTHER_SECRET", "PYTHONPATH", "AXOLOTL_SOMETHING", "ABSENT_SECRET", "FTRUN_STORE"}.isdisjoint(seen)
    assert seen["AXOLOTL_DO_NOT_TRACK"] == "1"


def test_two_runs_that_need_one_key_run_it_once(
    tiny: Calls, new_run: Runs, store: Store, tmp_path: Path, environments: dict[str, Environment]
) -> None:
    count, go = tmp_path / "count", tmp_path / "go"
    call = tiny("count", count=str(count), go=str(go))
    first, second = new_run(), new_run()
    backends = [LocalBackend(LocalBackend.Options(), environments, store) for _ in range(2)]
    with _in_background(backends[0], call, first, StopSignal()) as one:
        _wait_for(first, "ready")
        with _in_background(backends[1], call, second, StopSignal()) as other:
            waiting = _wait_for(second, "call_waiting")
            go.touch()
            assert one.result(SECONDS) == other.result(SECONDS) == StageOutcome("done")
    assert waiting["run"] == first.id
    assert count.read_text() == "x"
    assert events(second) == ["call_waiting"]


def test_a_wait_for_another_run_can_be_stopped(
    tiny: Calls, new_run: Runs, backend: LocalBackend, tmp_path: Path
) -> None:
    go, stop = tmp_path / "go", StopSignal()
    call = tiny("count", count=str(tmp_path / "count"), go=str(go))
    first, second = new_run(), new_run()
    with _in_background(backend, call, first, StopSignal()) as one:
        _wait_for(first, "ready")
        with _in_background(backend, call, second, stop) as other:
            _wait_for(second, "call_waiting")
            stop.raise_level()
            assert other.result(SECONDS) == StageOutcome("stopped")
        go.touch()
        assert one.result(SECONDS).status == "done"


@pytest.mark.parametrize(("do", "level"), [("stop_well", 1), ("stop_never", 2)])
def test_a_wish_to_stop_reaches_a_process_of_this_run_that_outlived_its_scheduler(
    do: str, level: int, tiny: Calls, new_run: Runs, backend: LocalBackend, store: Store
) -> None:
    call, run, stop = tiny(do), new_run(), StopSignal()
    with _in_background(backend, call, run, StopSignal()):  # as the killed scheduler began it
        _wait_for(run, "ready")
        with _in_background(backend, call, run, stop) as attached:
            _wait_for(run, "call_waiting")
            stop.raise_level(level)
            assert attached.result(SECONDS) == StageOutcome("stopped")
    assert not is_held(store.lock(call.ref))


@contextmanager
def _in_background(
    backend: LocalBackend, call: StageCall, run: RunFolder, stop: StopSignal
) -> Iterator[Future[StageOutcome]]:
    """The call in another thread; it is ended with the test, also when that fails."""
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(backend.run_stage, call, run, stop)
        except BaseException:
            stop.raise_level(2)
            raise


def _wait_for(run: RunFolder, kind: str) -> Event:
    """The first event of a kind."""
    over = threading.Event()
    timer = threading.Timer(SECONDS, over.set)
    timer.start()
    try:
        return next(event for event in follow(run.events, over.is_set, interval=0.01) if event["kind"] == kind)
    finally:
        timer.cancel()


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (StageOutcome("stopped"), Interrupted),
        (StageOutcome("failed", "user", (Problem("x", "a"),)), InvalidInput),
        (StageOutcome("failed", "store", (Problem("x", "a"),)), StoreError),
        (StageOutcome("failed", "stage", (Problem("x", "a", "b:1", "c", ("d", "e"), "f"),)), StageError),
    ],
)
def test_an_outcome_survives_its_file_and_stands_for_an_error(
    outcome: StageOutcome, error: type[FtrunError], tmp_path: Path
) -> None:
    outcome.save(tmp_path / "outcome.json")
    again = StageOutcome.read(tmp_path / "outcome.json")
    assert again == outcome
    assert type(outcome.error("train")) is error
    if outcome.problems:
        assert outcome.error("train").problems == outcome.problems


def test_no_outcome_is_none(tmp_path: Path) -> None:
    assert StageOutcome.read(tmp_path / "outcome.json") is None


def test_a_module_by_itself_and_a_package_are_both_carried(
    tiny: Calls, new_run: Runs, backend: LocalBackend, tmp_path: Path, stage_module: str
) -> None:
    """The stage is in a single file above; here it is inside a package."""
    package = tmp_path / "modules" / "tiny_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (tmp_path / "modules" / f"{stage_module}.py").rename(package / "inner.py")
    call = tiny("publish").model_copy(update={"implementation": "tiny_package.inner:Tiny"})
    values: dict[str, Any] = call.model_dump()
    assert backend.run_stage(StageCall(**values), new_run(), StopSignal()).status == "done"


@pytest.mark.parametrize("end", [{}, {"fails": True}, {"dies": True}], ids=["done", "failed", "killed"])
def test_no_file_of_the_store_has_a_secret_of_a_stage(
    end: dict[str, bool],
    tiny: Calls,
    new_run: Runs,
    backend: LocalBackend,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_OWN", "a<secret>-that-nobody-sees")
    run = new_run()
    outcome = backend.run_stage(tiny("leak", secrets=("MY_OWN",), **end), run, StopSignal())
    assert "nobody-sees" not in str(outcome)
    log = run.log("tiny").read_text()
    assert "one •••" in log
    assert "two •••" in log
    assert [event["text"] for event in read(run.events) if event["kind"] == "warning"] == ["the key is •••"]
    written = [path for path in store.root.rglob("*") if path.is_file() and b"nobody-sees" in path.read_bytes()]
    assert written == []


@pytest.mark.parametrize("damage", [None, "inner/x.txt", "more.txt"])
def test_a_kill_while_an_output_is_hashed_loses_nothing(
    damage: str | None, tiny: Calls, new_run: Runs, backend: LocalBackend, store: Store
) -> None:
    call = tiny("die_while_hashed")
    assert backend.run_stage(call, new_run(), StopSignal()).status == "failed"
    if damage is not None:
        (store.scratch(call.ref).output / damage).write_text("changed")
    assert backend.run_stage(call, new_run(), StopSignal()) == StageOutcome("done")
    manifest = find(store, call.ref)
    assert manifest is not None
    attempt = 1 if damage is None else 2
    assert [file.path for file in manifest.files] == ["inner/x.txt", f"left by try {attempt}"]
    assert manifest.metrics == {"rows": 3}
    assert [(gate.name, gate.met) for gate in manifest.gates] == [("good", True)]
    assert not store.scratch(call.ref).root.exists()
