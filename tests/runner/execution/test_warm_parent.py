"""Stage processes that are forked from one that has imported their libraries."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ftrun.api.cancellation import StopSignal
from ftrun.api.paths import RunFolder, Store
from ftrun.api.recipe import Environment
from ftrun.api.stage_call import ResourceRequest, StageCall
from ftrun.execution.fork_server import preload
from ftrun.execution.warm_parent import WarmParent
from ftrun_plugins.local.backend import LocalBackend
from helpers.workplace import is_alive, wait_until

Calls = Callable[..., StageCall]
Runs = Callable[[], RunFolder]
HEAVY = "colorsys"  # a module that no stage process imports by itself


def backend_with(store: Store, *preload: str) -> LocalBackend:
    return LocalBackend(LocalBackend.Options(), {"client": Environment(python="client", preload=preload)}, store)


def state_of(backend: LocalBackend, store: Store, call: StageCall, run: RunFolder) -> dict[str, Any]:
    """Run a call, and return what its process found of itself."""
    outcome = backend.run_stage(call, run, StopSignal())
    assert outcome.status == "done", outcome
    found: dict[str, Any] = json.loads((store.artifact(call.ref) / "state.json").read_text())
    return found


def test_processes_have_the_modules_and_a_state_of_their_own(tiny: Calls, new_run: Runs, store: Store) -> None:
    backend, run = backend_with(store, HEAVY), new_run()
    calls = [tiny("state", f"tiny{number}", number=number) for number in (1, 2)]
    first, second = (state_of(backend, store, call, run) for call in calls)
    for call, found in zip(calls, (first, second), strict=True):
        assert HEAVY in found["modules"]
        assert found["parent"] == first["parent"] != os.getpid()
        assert found["cwd"] == str(store.scratch(call.ref).root)
    assert first["random"] != second["random"]


@pytest.mark.parametrize("preload", [("no_module_of_this_name",), ()])
def test_without_its_modules_a_process_starts_by_itself(
    preload: tuple[str, ...], tiny: Calls, new_run: Runs, store: Store
) -> None:
    found = state_of(backend_with(store, *preload), store, tiny("state"), new_run())
    assert found["parent"] == os.getpid()
    assert HEAVY not in found["modules"]


def test_a_call_that_may_download_starts_by_itself(tiny: Calls, new_run: Runs, store: Store) -> None:
    call = tiny("state")
    online = StageCall(**{**call.model_dump(), "work": ResourceRequest(preloaded=False)})
    assert state_of(backend_with(store, HEAVY), store, online, new_run())["parent"] == os.getpid()


def test_a_secret_reaches_the_process_and_not_its_parent(
    tiny: Calls, new_run: Runs, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAMED_SECRET", "a-secret-value")
    backend, run = backend_with(store, HEAVY), new_run()
    call = tiny("environment", secrets=("NAMED_SECRET",))
    assert backend.run_stage(call, run, StopSignal()).status == "done"
    seen = json.loads((store.artifact(call.ref) / "environment.json").read_text())
    assert seen["NAMED_SECRET"] == "a-secret-value"
    assert "FTRUN_LOCK_DESCRIPTOR" not in seen
    parent = state_of(backend, store, tiny("state"), run)["parent"]
    assert b"a-secret-value" not in Path(f"/proc/{parent}/environ").read_bytes()


def test_a_process_that_lives_longer_than_its_parent_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = WarmParent(Path(sys.executable), {}, [HEAVY], tmp_path / "log")
    (tmp_path / "child.py").write_text("import time\n\ndef main():\n    time.sleep(1)\n")
    with (tmp_path / "out").open("wb") as log, (tmp_path / "lock").open("wb") as lock:
        packages = {"FTRUN_PACKAGES": json.dumps({"child": str(tmp_path), "ftrun": _folder_of("ftrun")})}
        process = parent.fork("child", [], tmp_path, packages, log.fileno(), lock.fileno())
    assert process is not None
    os.kill(int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
    assert process.poll() is None
    assert is_alive(process.pid)
    wait_until(lambda: process.poll() is not None, "the end of the process", seconds=10)
    assert parent.fault is not None


def _folder_of(package: str) -> str:
    found = sys.modules[package].__file__
    assert found is not None
    return str(Path(found).parents[1])


PROGRAM = """
import os, sys
from pathlib import Path
from ftrun.execution.warm_parent import WarmParent

folder = Path(sys.argv[1])
parent = WarmParent(Path(sys.executable), {}, ["colorsys"], folder / "log")
with (folder / "out").open("wb") as log, (folder / "lock").open("wb") as lock:
    process = parent.fork("child", [], folder, {"FTRUN_PACKAGES": sys.argv[2]}, log.fileno(), lock.fileno())
print(parent._process.pid, process.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_parent_ends_with_a_program_that_is_killed_and_its_processes_live_on(tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text("import time\n\ndef main():\n    time.sleep(60)\n")
    packages = json.dumps({"child": str(tmp_path), "ftrun": _folder_of("ftrun")})
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    parent, child = map(int, done.stdout.split())
    try:
        wait_until(lambda: not is_alive(parent), "the end of the parent", seconds=10)
        assert is_alive(child)
    finally:
        os.kill(child, signal.SIGKILL)


class StartedAgain(Exception):
    """Stands for the process that would take this one's place."""


@pytest.mark.parametrize(
    ("modules", "again", "reason"),
    [
        (("one", "two", "three"), ("one",), None),
        (("two", "three"), None, "importing two initializes CUDA"),
        (("one", "three"), None, None),
        (("one", "broken", "two"), None, "broken: ZeroDivisionError: division by zero"),
    ],
)
def test_a_module_that_initializes_cuda_is_left_out(
    modules: tuple[str, ...],
    again: tuple[str, ...] | None,
    reason: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in {"one": "", "two": "", "three": "", "broken": "1 / 0"}.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("one", "two", "three"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    def start_again(some: Sequence[str]) -> NoReturn:
        raise StartedAgain(*some)

    try:
        if again is not None:
            with pytest.raises(StartedAgain) as started:
                preload(modules, start_again, lambda: "two" in sys.modules)
            assert started.value.args == again
        else:
            assert preload(modules, start_again, lambda: "two" in sys.modules) == reason
    finally:
        for name in ("one", "two", "three"):
            sys.modules.pop(name, None)
