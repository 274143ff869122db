"""Contract of backends whose scheduler runs on this machine."""

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
from ftrun.testing.probe_stage import OUTPUT_FILE, Action, probe_call

SECONDS = 60.0  # maximum time for a stage to start or to stop


class BackendContract(ComponentContract):
    """Contract tests of a backend. Inherit as `TestX`, and set `backend`, and `options` if required."""

    kind = "backend"
    backend: ClassVar[type[Any]]

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return Store(tmp_path / "store")

    def make_backend(self, store: Store, lock: str = "", **variables: str) -> Backend:
        """Return a backend with the environment of the client and an environment with a lock file."""
        path = store.root / "lock.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lock)
        environments = {
            CLIENT: Environment(python="client"),
            "locked": Environment(python="3.12", lock=path, variables=variables),
        }
        backend: Backend = self.backend(self.make_options(), environments, store)
        return backend

    @pytest.fixture
    def run(self, store: Store, tmp_path: Path) -> Callable[..., StageOutcome]:
        """Return a function that runs a probe stage to its end."""

        def run_probe(do: Action, stop: StopSignal | None = None) -> StageOutcome:
            folder = runs.create(store, "contract", (), {}, {}, self.backend.name)
            return self.make_backend(store).runner().run_stage(self.call(do, tmp_path), folder, stop or StopSignal())

        return run_probe

    def call(self, do: Action, folder: Path) -> StageCall:
        return probe_call(do, str(folder / f"{do}.tries"))

    def count_attempts(self, do: Action, folder: Path) -> int:
        path = folder / f"{do}.tries"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def test_the_digest_of_an_environment_depends_on_its_content(self, store: Store) -> None:
        def digest(lock: str, **variables: str) -> str:
            return self.make_backend(store, lock, **variables).environment_digest("locked")

        assert digest("a==1") == digest("a==1"), "the digest of an environment changes between two calls"
        assert digest("a==1"), "the digest is empty"
        assert digest("a==2") != digest("a==1"), "the digest does not depend on the packages"
        assert digest("a==1", FLAG="1") != digest("a==1"), "the digest does not depend on the variables"

    def test_hardware_is_as_requested_or_an_error(self, store: Store) -> None:
        backend = self.make_backend(store)
        cpu_only = backend.hardware("trial", Resources(gpu=0))
        assert isinstance(cpu_only, Hardware)
        assert (cpu_only.accelerator, cpu_only.processes) == ("cpu", 1)
        assert backend.hardware("trial", Resources(gpu=0, processes=3)).processes == 3
        assert backend.cores() > 0
        cores, gpus = backend.runner().capacity()
        assert cores > 0
        assert gpus >= 0
        if gpus:
            with pytest.raises(InvalidInput) as caught:
                backend.hardware("trial", Resources(gpu=1_000))
            assert_one_line(caught.value.problems[0].what, "the problem")

    def test_it_reports_secrets_and_costs(self, store: Store, tmp_path: Path) -> None:
        backend = self.make_backend(store)
        assert isinstance(backend.has_secret("huggingface"), bool)
        assert_one_line(backend.secret_advice("huggingface"), "the advice")
        estimate = backend.estimate([self.call("make", tmp_path)], {})
        assert estimate is None or isinstance(estimate, Estimate)

    def test_the_client_environment_is_ready(self, store: Store) -> None:
        backend = self.make_backend(store)
        assert backend.environment_ready(CLIENT)
        assert backend.environment_python(CLIENT).exists()

    def test_a_call_publishes_its_artifact_and_runs_once(self, run: Any, store: Store, tmp_path: Path) -> None:
        call = self.call("make", tmp_path)
        assert self.make_backend(store).cached([call]) == set()
        assert run("make").status == "done"
        manifest = find(store, call.ref)
        assert manifest is not None, "the store has no artifact of the call"
        assert manifest.metrics == {"rows": 3}
        assert (store.artifact(call.ref) / OUTPUT_FILE).read_text() == "whole"
        assert self.make_backend(store).cached([call]) == {call.key}
        assert run("make").status == "done"
        assert self.count_attempts("make", tmp_path) == 1, "a call was run although its artifact exists"

    def test_a_damaged_artifact_is_not_cached(self, run: Any, store: Store, tmp_path: Path) -> None:
        call = self.call("make", tmp_path)
        run("make")
        (store.artifact(call.ref) / OUTPUT_FILE).write_text("cut")
        assert self.make_backend(store).cached([call]) == set()

    @pytest.mark.parametrize(("do", "fault"), [("refuse", "user"), ("raise", "stage"), ("exit", "stage")])
    def test_a_failure_is_reported_and_leaves_no_artifact(
        self, do: Action, fault: str, run: Any, store: Store, tmp_path: Path
    ) -> None:
        outcome = run(do)
        assert (outcome.status, outcome.fault) == ("failed", fault)
        assert outcome.problems, "the outcome has no problems"
        if do == "refuse":
            assert outcome.problems[0].at == "rows.jsonl:3"
        self.assert_no_artifact(do, store, tmp_path)

    def test_a_killed_call_leaves_no_artifact_and_can_run_again(self, run: Any, store: Store, tmp_path: Path) -> None:
        stop, outcomes = StopSignal(), []
        thread = threading.Thread(target=lambda: outcomes.append(run("wait", stop)))
        thread.start()
        self.wait_for_attempt("wait", tmp_path)
        stop.raise_level(2)
        thread.join(SECONDS)
        assert not thread.is_alive(), "the call is still running after the request to stop it immediately"
        assert outcomes[0].status == "stopped"
        self.assert_no_artifact("wait", store, tmp_path)
        assert run("wait").status == "done"
        assert (store.artifact(self.call("wait", tmp_path).ref) / OUTPUT_FILE).read_text() == "whole"

    def test_concurrent_calls_with_one_key_run_once(self, run: Any, tmp_path: Path) -> None:
        outcomes: list[StageOutcome] = []
        threads = [threading.Thread(target=lambda: outcomes.append(run("make"))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        assert [outcome.status for outcome in outcomes] == ["done", "done"]
        assert self.count_attempts("make", tmp_path) == 1

    def wait_for_attempt(self, do: Action, folder: Path) -> None:
        deadline = time.monotonic() + SECONDS
        while not self.count_attempts(do, folder):
            assert time.monotonic() < deadline, "the call does not start"
            time.sleep(0.05)

    def assert_no_artifact(self, do: Action, store: Store, folder: Path) -> None:
        call = self.call(do, folder)
        assert not store.artifact(call.ref).exists(), "the store has an incomplete artifact of the call"
        assert self.make_backend(store).cached([call]) == set()
