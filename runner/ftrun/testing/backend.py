"""What every backend has to keep to whose scheduler runs on this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ftrun.api.backends import Backend, Estimate, Hardware
from ftrun.api.cancellation import StopSignal
from ftrun.api.errors import InvalidInput
from ftrun.api.outcome import StageOutcome
from ftrun.api.paths import Store
from ftrun.api.recipe import Environment, Resources
from ftrun.api.stage_call import CLIENT, StageCall
from ftrun.store import runs
from ftrun.store.artifacts import find
from ftrun.testing.component import ComponentContract, assert_one_line
from ftrun.testing.probe_stage import MADE, Deed, probe_call

SECONDS = 60.0  # that a stage without work may take to begin, or to be stopped


class BackendContract(ComponentContract):
    """Inherit it as `TestX`, and set `backend`; `options` where it needs some."""

    kind = "backend"
    backend: ClassVar[type[Any]]

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return Store(tmp_path / "store")

    def made(self, store: Store, lock: str = "", **variables: str) -> Backend:
        """A backend with the client's environment and one with a lock."""
        path = store.root / "lock.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lock)
        environments = {
            CLIENT: Environment(python="client"),
            "locked": Environment(python="3.12", lock=path, variables=variables),
        }
        found: Backend = self.backend(self.made_options(), environments, store)
        return found

    @pytest.fixture
    def run(self, store: Store, tmp_path: Path) -> Callable[..., StageOutcome]:
        """Runs a trial to its end; `key` gives each its own."""

        def run_it(do: Deed, stop: StopSignal | None = None) -> StageOutcome:
            folder = runs.create(store, "contract", (), {}, {}, self.backend.name)
            return self.made(store).runner().run_stage(self.call(do, tmp_path), folder, stop or StopSignal())

        return run_it

    def call(self, do: Deed, folder: Path) -> StageCall:
        return probe_call(do, str(folder / f"{do}.tries"))

    def tries(self, do: Deed, folder: Path) -> int:
        path = folder / f"{do}.tries"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def test_the_digest_of_an_environment_is_that_of_what_is_in_it(self, store: Store) -> None:
        def digest(lock: str, **variables: str) -> str:
            return self.made(store, lock, **variables).environment_digest("locked")

        assert digest("a==1") == digest("a==1"), "the same environment has another digest the second time"
        assert digest("a==1"), "the digest is empty"
        assert digest("a==2") != digest("a==1"), "another package does not change the digest"
        assert digest("a==1", FLAG="1") != digest("a==1"), "a variable does not change the digest"

    def test_hardware_is_what_was_asked_for_or_refused(self, store: Store) -> None:
        backend = self.made(store)
        without = backend.hardware("trial", Resources(gpu=0))
        assert isinstance(without, Hardware)
        assert (without.accelerator, without.processes) == ("cpu", 1)
        assert backend.hardware("trial", Resources(gpu=0, processes=3)).processes == 3
        assert backend.cores() > 0
        cores, gpus = backend.runner().capacity()
        assert cores > 0
        assert gpus >= 0
        if gpus:
            with pytest.raises(InvalidInput) as refused:
                backend.hardware("trial", Resources(gpu=1_000))
            assert_one_line(refused.value.problems[0].what, "the problem")

    def test_it_knows_secrets_and_costs(self, store: Store, tmp_path: Path) -> None:
        backend = self.made(store)
        assert isinstance(backend.has_secret("huggingface"), bool)
        assert_one_line(backend.secret_advice("huggingface"), "the advice")
        estimate = backend.estimate([self.call("make", tmp_path)], {})
        assert estimate is None or isinstance(estimate, Estimate)

    def test_the_client_is_there_already(self, store: Store) -> None:
        backend = self.made(store)
        assert backend.environment_ready(CLIENT)
        assert backend.environment_python(CLIENT).exists()

    def test_a_call_leaves_its_artifact_and_runs_once(self, run: Any, store: Store, tmp_path: Path) -> None:
        call = self.call("make", tmp_path)
        assert self.made(store).cached([call]) == set()
        assert run("make").status == "done"
        manifest = find(store, call.ref)
        assert manifest is not None, "no artifact is in the store"
        assert manifest.metrics == {"rows": 3}
        assert (store.artifact(call.ref) / MADE).read_text() == "whole"
        assert self.made(store).cached([call]) == {call.key}
        assert run("make").status == "done"
        assert self.tries("make", tmp_path) == 1, "a call whose artifact is there was run again"

    def test_a_damaged_artifact_is_not_cached(self, run: Any, store: Store, tmp_path: Path) -> None:
        call = self.call("make", tmp_path)
        run("make")
        (store.artifact(call.ref) / MADE).write_text("cut")
        assert self.made(store).cached([call]) == set()

    @pytest.mark.parametrize(("do", "fault"), [("refuse", "user"), ("raise", "stage"), ("exit", "stage")])
    def test_a_failure_is_told_and_leaves_nothing(
        self, do: Deed, fault: str, run: Any, store: Store, tmp_path: Path
    ) -> None:
        outcome = run(do)
        assert (outcome.status, outcome.fault) == ("failed", fault)
        assert outcome.problems, "the outcome has no problem to tell"
        if do == "refuse":
            assert outcome.problems[0].at == "rows.jsonl:3"
        self.assert_nothing(do, store, tmp_path)

    def test_a_killed_call_leaves_no_half_artifact_and_can_be_run_again(
        self, run: Any, store: Store, tmp_path: Path
    ) -> None:
        stop, outcomes = StopSignal(), []
        thread = threading.Thread(target=lambda: outcomes.append(run("wait", stop)))
        thread.start()
        self.wait_for_try("wait", tmp_path)
        stop.raise_level(2)
        thread.join(SECONDS)
        assert not thread.is_alive(), "the call goes on after it was to stop at once"
        assert outcomes[0].status == "stopped"
        self.assert_nothing("wait", store, tmp_path)
        assert run("wait").status == "done"
        assert (store.artifact(self.call("wait", tmp_path).ref) / MADE).read_text() == "whole"

    def test_two_that_want_one_key_run_it_once(self, run: Any, tmp_path: Path) -> None:
        outcomes: list[StageOutcome] = []
        threads = [threading.Thread(target=lambda: outcomes.append(run("make"))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        assert [outcome.status for outcome in outcomes] == ["done", "done"]
        assert self.tries("make", tmp_path) == 1

    def wait_for_try(self, do: Deed, folder: Path) -> None:
        until = time.monotonic() + SECONDS
        while not self.tries(do, folder):
            assert time.monotonic() < until, "the call does not begin"
            time.sleep(0.05)

    def assert_nothing(self, do: Deed, store: Store, folder: Path) -> None:
        call = self.call(do, folder)
        assert not store.artifact(call.ref).exists(), "half an artifact is in the store"
        assert self.made(store).cached([call]) == set()
