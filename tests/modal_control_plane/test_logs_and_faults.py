from __future__ import annotations

import time
from datetime import datetime, timedelta

import modal
import pytest

from modal_control_plane.fixture import ControlPlane

from .conftest import function


def test_logs_of_a_call(plane: ControlPlane, name: str) -> None:
    begin = datetime.now() - timedelta(minutes=1)
    call, other = function("talk").spawn(name), function("talk").spawn("other")
    streamed = {(entry.source, entry.message) for entry in call.logs.stream(timeout=10)}
    assert {("stdout", f"{name}\n"), ("stderr", f"aside {name}\n")} <= streamed
    assert not any("other" in message for _, message in streamed)
    other.get(timeout=20)
    assert [entry.message for entry in call.logs.tail(1, source="stdout")] == [f"{name}\n"]
    assert [entry.message for entry in call.logs.fetch(since=begin, search_text=name, source="stdout")] == [f"{name}\n"]


def test_clients_ride_out_a_short_outage(plane: ControlPlane) -> None:
    function("about").remote()
    plane.fail_for(0.4)
    time.sleep(0.05)
    call = function("about").spawn()  # 3 retries, over 0.7 s in all
    assert call.get(timeout=20)["call"] == call.object_id


@pytest.mark.slow
def test_clients_give_up_in_a_longer_one_and_nothing_is_lost(plane: ControlPlane, name: str) -> None:
    call = function("attempt").spawn(name, "return")
    call.get(timeout=20)
    plane.fail_for(1.5)
    time.sleep(0.05)
    with pytest.raises(modal.exception.ServiceError):
        call.get(timeout=0)
    time.sleep(1.5)
    assert call.get(timeout=5) == 1


def test_what_is_asked_for_again_is_not_done_twice(plane: ControlPlane, name: str) -> None:
    before = len(plane.calls("talk"))
    plane.lose_answer("FunctionMap")
    function("talk").spawn(name).get(timeout=20)
    assert len(plane.calls("talk")) == before + 1


def test_an_error_on_purpose(plane: ControlPlane) -> None:
    plane.fail("FunctionMap", "RESOURCE_EXHAUSTED")
    with pytest.raises(modal.exception.ResourceExhaustedError):
        function("about").spawn()
    assert plane.rpc_counts["FunctionMap"] > 1
