from __future__ import annotations

import os
from typing import Any

import modal
import pytest

from modal_control_plane.fixture import ControlPlane

from .conftest import function


def test_a_call_runs_in_a_container_of_its_own(plane: ControlPlane) -> None:
    call = function("about").spawn()
    seen = call.get(timeout=20)
    assert seen["call"] == call.object_id
    assert seen["cwd"].startswith(str(plane.folder))
    assert seen["path"][0] == seen["cwd"]
    assert seen["environment"]["SAMPLE_KEY"] == "a-secret-value"
    assert "MODAL_TOKEN_SECRET" not in seen["environment"]
    assert modal.FunctionCall.from_id(call.object_id).get(timeout=0)["call"] == call.object_id


def test_options_of_a_call_are_seen_and_honoured(plane: ControlPlane) -> None:
    options: dict[str, Any] = {
        "gpu": "H100:8",
        "cpu": 2.5,
        "memory": 4096,
        "timeout": 50,
        "region": "eu",
        "env": {"EXTRA": "e"},
    }
    call = function("about").with_options(**options, retries=2).spawn()
    assert call.get(timeout=20)["environment"]["EXTRA"] == "e"
    (asked,) = [each.asked for each in plane.calls() if each.id == call.object_id]
    assert (asked.gpu, asked.cpu, asked.memory, asked.timeout, asked.retries) == ("H100:8", 2.5, 4096, 50, 2)
    assert asked.regions == ("eu",)


def test_volumes_are_found_through_variables(plane: ControlPlane) -> None:
    volume = modal.Volume.from_name("sample")
    seen = function("about").with_options(volumes={"/sample-store": volume}).remote()["environment"]
    assert seen["SAMPLE_STORE"].startswith(str(plane.folder / "containers"))
    assert seen["SAMPLE_BELOW"] == seen["SAMPLE_STORE"] + "/below"


@pytest.mark.slow
def test_functions_call_functions(plane: ControlPlane) -> None:
    call = function("nested").spawn("inner")
    inner, word, outer = call.get(timeout=20)
    assert (word, outer) == ("inner", call.object_id)
    (top,) = modal.FunctionCall.from_id(inner).get_call_graph()
    assert [child.function_call_id for child in top.children] == [inner]


def test_waiting_no_time_for_what_is_not_done(plane: ControlPlane, name: str) -> None:
    call = function("attempt").spawn(name, "sleep")
    with pytest.raises(TimeoutError):
        call.get(timeout=0)
    call.cancel(terminate_containers=True)


@pytest.mark.slow
def test_large_arguments_and_results_travel_as_blobs(plane: ControlPlane) -> None:
    assert len(function("blob").remote(3 << 20)) == 3 << 20
    function("talk").spawn("long " * 4000).get(timeout=20)


def test_apps_without_a_deployment(plane: ControlPlane) -> None:
    app = modal.App("brief")

    def double(number: int) -> int:
        return 2 * number

    doubling = app.function(serialized=True)(double)
    with app.run():
        assert doubling.remote(21) == 42
    plane.wait_for(lambda: not plane.containers("double"))


def test_other_tokens_are_refused(plane: ControlPlane) -> None:
    with pytest.raises(modal.exception.AuthError), modal.Client.from_credentials("ak-other", "as-other") as client:
        modal.Function.from_name("sample", "about", client=client).hydrate()


def test_apps_are_listed_and_unknown_names_told(plane: ControlPlane) -> None:
    with pytest.raises(modal.exception.NotFoundError):
        modal.Function.from_name("sample", "no such").hydrate()
    with pytest.raises(modal.exception.NotFoundError):
        modal.Function.from_name("no such", "about").hydrate()
    assert os.environ["MODAL_SERVER_URL"].startswith("http://127.0.0.1:")
