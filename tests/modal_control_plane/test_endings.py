"""How calls end other than well: time-outs, cancellations, crashes, machines taken away."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import modal
import pytest

from modal_control_plane.fixture import CallInfo, ControlPlane, Policy

from .client import client_of
from .conftest import SAMPLE, Hand, deploy, function


def told(name: str, what: str) -> object:
    return modal.Dict.from_name("sample", create_if_missing=True).get(f"{name}/{what}")


def known(plane: ControlPlane, call: modal.FunctionCall[object]) -> CallInfo:
    (info,) = [each for each in plane.calls() if each.id == call.object_id]
    return info


def asleep(plane: ControlPlane, name: str, *how: str, **options: Any) -> modal.FunctionCall[object]:
    """A call that has begun to sleep."""
    call = function("attempt").with_options(env={"NAME": name}, **options).spawn(name, *(how or ["sleep"]))
    plane.wait_for(lambda: told(name, "asleep"))
    return call


def test_a_time_out(plane: ControlPlane, name: str) -> None:
    call = function("attempt").with_options(timeout=1).spawn(name, "sleep")
    with pytest.raises(modal.exception.FunctionTimeoutError):
        call.get(timeout=20)
    assert known(plane, call).status == "TIMEOUT"


def test_a_cancelled_call_is_interrupted_and_its_container_kept(plane: ControlPlane, name: str) -> None:
    call = asleep(plane, name)
    (container,) = [each for each in plane.containers("attempt") if call.object_id in each.calls]
    call.cancel()
    with pytest.raises(modal.exception.RemoteError):
        call.get(timeout=20)
    assert told(name, "end") == "InputCancellation"
    assert known(plane, call).status == "TERMINATED"
    assert container.id in {each.id for each in plane.containers("attempt")}


def test_a_cancelled_call_with_its_container(plane: ControlPlane, name: str) -> None:
    call = asleep(plane, name)
    call.cancel(terminate_containers=True)
    with pytest.raises(modal.exception.RemoteError, match="cancelled"):
        call.get(timeout=20)
    plane.wait_for(lambda: told(name, "end") == "KeyboardInterrupt")


def test_a_call_that_waits_is_cancelled_at_once(plane: ControlPlane, name: str) -> None:
    options: dict[str, Any] = {"max_containers": 1}
    first = asleep(plane, name, **options)
    second = function("attempt").with_options(env={"NAME": name}, **options).spawn(name)
    second.cancel()
    with pytest.raises(modal.exception.RemoteError):
        second.get(timeout=5)
    assert known(plane, second).deliveries == 0
    first.cancel(terminate_containers=True)


def test_the_server_retries_what_was_spawned(plane: ControlPlane, name: str) -> None:
    retries = modal.Retries(max_retries=2, initial_delay=0.0)
    call = function("attempt").with_options(retries=retries).spawn(name, "raise", "raise", "return")
    assert call.get(timeout=20) == 3
    assert known(plane, call).retries == 2


@pytest.mark.slow
def test_the_client_retries_what_it_waits_for(plane: ControlPlane, name: str) -> None:
    retries = modal.Retries(max_retries=1, initial_delay=0.0)
    assert function("attempt").with_options(retries=retries).remote(name, "raise", "return") == 2
    with pytest.raises(ValueError, match="attempt 1"):
        function("attempt").remote(f"{name}-alone", "raise")


def test_the_work_of_a_container_that_died_is_done_by_another(plane: ControlPlane, name: str) -> None:
    call = function("attempt").spawn(name, "die", "die", "return")
    assert call.get(timeout=20) == 3
    assert known(plane, call).retries == 0


@pytest.mark.slow
def test_a_crash_may_also_cost_a_retry(tmp_path: Path, name: str) -> None:
    with ControlPlane(tmp_path, secrets={"sample": {}}, policy=Policy(crashes="fail")) as plane, client_of(plane):
        deploy(plane, SAMPLE)
        retrying = function("attempt").with_options(retries=modal.Retries(max_retries=1, initial_delay=0.0))
        call = retrying.spawn(name, "die", "return")
        assert call.get(timeout=20) == 2
        assert known(plane, call).retries == 1
        with pytest.raises(modal.exception.RemoteError, match="exit code 9"):
            function("attempt").spawn(f"{name}-again", "die").get(timeout=20)


@pytest.mark.slow
def test_a_machine_taken_away_with_grace(plane: ControlPlane, name: str) -> None:
    call = asleep(plane, name, "sleep", "return")
    plane.preempt("attempt", grace=10)
    assert told(name, "end") == "KeyboardInterrupt"
    assert call.get(timeout=20) == 2
    assert (known(plane, call).deliveries, known(plane, call).retries) == (2, 0)


def test_a_machine_taken_away_without_grace(plane: ControlPlane, name: str) -> None:
    call = asleep(plane, name, "sleep", "return")
    plane.preempt("attempt", grace=0)
    assert told(name, "end") is None
    assert call.get(timeout=20) == 2
    assert known(plane, call).deliveries == 2


@pytest.mark.slow
def test_the_grace_time_ends(plane: ControlPlane, name: str) -> None:
    call = asleep(plane, name, "stubborn", "return")
    began = time.monotonic()
    plane.preempt("attempt", grace=0.5)
    assert time.monotonic() - began < 5
    assert call.get(timeout=20) == 2


@pytest.mark.slow
def test_uncommitted_work_is_committed_at_an_end_with_grace_only(plane: ControlPlane, name: str) -> None:
    def written(end: Callable[[], object], path: str) -> bool:
        hand = Hand(plane, f"{name}-{path}")
        hand("write", f"{name}-{path}", "text")
        end()
        hand.stop()
        return (plane.volume_folder("sample") / f"{name}-{path}").exists()

    assert written(lambda: plane.preempt("hand", grace=10), "graceful")
    assert not written(lambda: plane.kill("hand"), "killed")


def test_an_output_that_expired(plane: ControlPlane, name: str) -> None:
    call = function("attempt").spawn(name, "return")
    call.get(timeout=20)
    plane.expire(call.object_id)
    with pytest.raises(modal.exception.OutputExpiredError):
        call.get(timeout=0)


def test_nothing_outlives_a_container(plane: ControlPlane, name: str) -> None:
    call = function("parent").spawn(name)
    child = plane.wait_for(lambda: told(name, "child"))
    call.cancel(terminate_containers=True)
    plane.wait_for(lambda: not alive(child))


def test_a_container_that_cannot_start(plane: ControlPlane) -> None:
    with pytest.raises(modal.exception.RemoteError, match="unheard of"):
        function("nowhere").spawn().get(timeout=20)


@pytest.mark.slow
def test_stopping_kills_all(tmp_path: Path, name: str) -> None:
    with ControlPlane(tmp_path, secrets={"sample": {}}) as plane, client_of(plane):
        deploy(plane, SAMPLE)
        function("parent").spawn(name)
        child = plane.wait_for(lambda: told(name, "child"))
        (container,) = plane.containers()
    plane.wait_for(lambda: not any(alive(process) for process in (child, container.pid)))


@pytest.mark.slow
def test_nothing_outlives_a_control_plane_that_is_killed(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-m", "modal_control_plane", "serve", "--state", str(tmp_path), "--secret", "sample:"]
    serving = subprocess.Popen(command, cwd=SAMPLE.parents[1], stdout=subprocess.PIPE, text=True)
    assert serving.stdout
    exports = (next(serving.stdout).removeprefix("export ").strip().split("=", 1) for _ in range(7))
    environment = os.environ | {key: value.strip("'") for key, value in exports}
    subprocess.run([sys.executable, "-m", "modal", "deploy", str(SAMPLE)], env=environment, check=True)
    code = f"import modal; print(modal.Function.from_name('sample', 'parent').remote('{name}', brief=True))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    assert alive(int(done.stdout))
    serving.kill()
    serving.communicate()
    end = time.monotonic() + 10
    while alive(int(done.stdout)):
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(process: object) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
